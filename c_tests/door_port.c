/* Ports: opened by text, written to, heard from, closed. */
#include "door.h"

int main(void)
{
    wharf_host *host = wharf_host_new(NULL);
    wharf_process *me = wharf_process_new(host);
    wharf_port port;
    char *text;

    OK(wharf_open(me, "{spawn, \"cat\"}", "[binary]", &port));
    CHECK(port.id != 0);
    OK(wharf_port_command(me, port, "hello", 5));
    OK(wharf_expect(me, SOON_MS, "{Port, {data, <<\"hello\">>}}"));
    OK(wharf_port_command(me, port, NULL, 0));
    OK(wharf_port_command(me, port, "a\0b", 3));
    OK(wharf_receive_text(me, SOON_MS, &text));
    CHECK(strstr(text, "{data,<<97,0,98>>}") != NULL);
    wharf_text_free(text);
    FAILS(TIMEOUT, wharf_receive_text(me, 0, &text));

    OK(wharf_process_trap_exit(me, true));
    OK(wharf_port_close(me, port));
    OK(wharf_expect(me, SOON_MS, "{'EXIT', _, normal}"));
    FAILS(CLOSED, wharf_port_close(me, port));
    FAILS(CLOSED, wharf_port_command(me, port, "x", 1));
    SAYS("cannot command #Port<0.");

    /* What a test sees when it fails. */
    OK(wharf_open(me, "{spawn, \"cat\"}", "[binary, {line, 80}]", &port));
    FAILS(TIMEOUT, wharf_expect(me, 0, "{_, {data, Data}}"));
    SAYS("expected: {_, {data, Data}}");
    SAYS("came:     nothing");
    SAYS("is open: [{name,\"cat\"}");
    OK(wharf_port_command(me, port, "one\ntwo\n", 8));
    OK(wharf_expect(me, SOON_MS, "{_, {data, {eol, <<\"two\">>}}}"));
    FAILS(MISMATCH, wharf_expect(me, 0, "{_, {data, {eol, <<\"two\">>}}}"));
    SAYS("came:     {#Port<0.");
    SAYS("{data,{eol,<<\"one\">>}}}");
    CHECK(wharf_process_messages_count(me) == 1);
    OK(wharf_expect(me, 0, "{_, {data, {eol, <<\"o\", _/binary>>}}}"));
    FAILS(SYNTAX, wharf_expect(me, 0, "{_, "));
    OK(wharf_port_close(me, port));

    /* What an open refuses. */
    FAILS(SYNTAX, wharf_open(me, "{spawn, cat", "[]", &port));
    SAYS("line 1, column 1: `}` is missing");
    FAILS(BADARG, wharf_open(me, "{swim, \"cat\"}", "[]", &port));
    FAILS(BADARG, wharf_open(me, "{spawn, \"cat\"}", "[binary, bynary]", &port));
    SAYS("bynary");
    FAILS(REFUSED, wharf_open(me, "{spawn_executable, \"/no/such/file\"}", "[]", &port));
    CHECK(strcmp(wharf_error_reason(), "enoent") == 0);
    FAILS(NULL, wharf_open(me, NULL, "[]", &port));
    FAILS(NULL, wharf_open(me, "{spawn, \"cat\"}", "[]", NULL));

    OK(wharf_host_close_ports(host, SOON_MS));
    OK(wharf_process_free(me));
    OK(wharf_host_free(host));
    return 0;
}
