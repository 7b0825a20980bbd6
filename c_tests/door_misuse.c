/* NULLs, wrong pointers, freed ones: a status, never a crash. */
#include "door.h"

int main(void)
{
    wharf_host *host = wharf_host_new(NULL), *other;
    wharf_process *me = wharf_process_new(host);
    wharf_port port = {0}, never = {987654321};
    wharf_term *term;
    char *text;
    int i;

    CHECK(wharf_process_new(NULL) == NULL);
    FAILS(NULL, wharf_host_free(NULL));
    FAILS(NULL, wharf_process_free(NULL));
    FAILS(NULL, wharf_port_command(NULL, port, "x", 1));
    FAILS(NULL, wharf_port_command(me, port, NULL, 1));
    FAILS(NULL, wharf_port_command(me, port, "x", (size_t)-1));
    FAILS(CLOSED, wharf_port_command(me, port, "x", 1));
    FAILS(CLOSED, wharf_port_close(me, never));
    FAILS(NULL, wharf_expect(me, 0, NULL));
    FAILS(NULL, wharf_receive_text(me, 0, NULL));
    FAILS(NULL, wharf_receive_text(NULL, 0, &text));
    FAILS(NULL, wharf_driver_load(host, NULL, "x"));
    FAILS(NULL, wharf_driver_load(host, "x", NULL));
    FAILS(NULL, wharf_term_parse(NULL, &term));
    FAILS(NULL, wharf_term_parse("ok", NULL));
    FAILS(SYNTAX, wharf_term_parse("\xff", &term));
    CHECK(wharf_term_text(NULL) == NULL);
    CHECK(wharf_process_pid(NULL).id == 0);
    CHECK(wharf_process_messages_count(NULL) == (size_t)-1);
    CHECK(wharf_host_ports_count(NULL) == (size_t)-1);
    wharf_term_free(NULL);
    wharf_text_free(NULL);

    /* One kind for another, and what never was one. */
    CHECK(wharf_process_new((wharf_host *)(void *)me) == NULL);
    FAILS(FREED, wharf_host_free((wharf_host *)(void *)me));
    FAILS(FREED, wharf_process_free((wharf_process *)(void *)host));
    FAILS(FREED, wharf_process_free((wharf_process *)(void *)&port));

    /* Freed ones stay freed, however many come after them. */
    OK(wharf_process_free(me));
    FAILS(FREED, wharf_process_free(me));
    for (i = 0; i < 1000; i++) {
        wharf_process *next = wharf_process_new(host);
        CHECK(next != NULL && next != me);
        FAILS(FREED, wharf_process_trap_exit(me, true));
        OK(wharf_process_free(next));
    }
    me = wharf_process_new(host);
    OK(wharf_host_free(host));
    FAILS(FREED, wharf_host_free(host));
    FAILS(FREED, wharf_process_free(me));
    CHECK(wharf_process_new(host) == NULL);
    SAYS("freed");
    CHECK((other = wharf_host_new(NULL)) != NULL && other != host);
    OK(wharf_host_free(other));
    return 0;
}
