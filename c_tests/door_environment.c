/* A host's environment is its own, and its programs and drivers have it. */
#include "door.h"

int main(void)
{
    wharf_host *host, *other;
    wharf_process *me;
    wharf_port port;
    wharf_term *all;
    char *value;
    /* Some variable that everybody has. */
    CHECK(getenv("PATH") != NULL);
    host = wharf_host_new(NULL);
    other = wharf_host_new(NULL);
    OK(wharf_host_env(host, "PATH", &value));
    CHECK(strcmp(value, getenv("PATH")) == 0);
    wharf_text_free(value);
    OK(wharf_host_put_env(host, "DOOR_BEFORE", "1"));
    me = wharf_process_new(host);

    OK(wharf_host_env(host, "DOOR_BEFORE", &value));
    CHECK(strcmp(value, "1") == 0);
    wharf_text_free(value);
    OK(wharf_host_put_env(host, "DOOR_SHIP", "Fram"));
    OK(wharf_host_put_env(host, "DOOR_BEFORE", NULL));
    OK(wharf_host_put_env(host, "DOOR_BEFORE", NULL));
    FAILS(NOTFOUND, wharf_host_env(host, "DOOR_BEFORE", &value));
    SAYS("DOOR_BEFORE is not set");
    FAILS(NOTFOUND, wharf_host_env(other, "DOOR_SHIP", &value));
    CHECK(getenv("DOOR_SHIP") == NULL);
    OK(wharf_host_env_all(host, &all));
    CHECK(wharf_term_kind_of(all) == WHARF_TERM_LIST);
    wharf_term_free(all);

    OK(wharf_open(me, "{spawn, \"printf $DOOR_SHIP:$DOOR_BEFORE\"}", "[binary]", &port));
    OK(wharf_expect(me, SOON_MS, "{_, {data, <<\"Fram:\">>}}"));

    FAILS(BADARG, wharf_host_put_env(host, "A=B", "x"));
    FAILS(BADARG, wharf_host_put_env(host, "A=B", NULL));
    FAILS(NULL, wharf_host_put_env(host, NULL, "x"));
    FAILS(NULL, wharf_host_put_env(NULL, "A", "x"));
    FAILS(NULL, wharf_host_env(host, "A", NULL));
    FAILS(NULL, wharf_host_env_all(host, NULL));
    OK(wharf_host_close_ports(host, SOON_MS));
    OK(wharf_host_free(host));
    FAILS(FREED, wharf_host_put_env(host, "A", "x"));
    OK(wharf_host_free(other));
    return 0;
}
