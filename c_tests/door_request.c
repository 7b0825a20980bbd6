/* Control, call, connect, info, lists, and a command that does not wait. */
#include "door.h"

static int is_term(wharf_term *term, const char *expected)
{
    char *text = wharf_term_text(term);
    int same = text != NULL && strcmp(text, expected) == 0;
    if (!same)
        fprintf(stderr, "%s, not %s\n", text, expected);
    wharf_text_free(text);
    wharf_term_free(term);
    return same;
}

int main(int argc, char **argv)
{
    wharf_host *host = wharf_host_new(NULL);
    wharf_process *me = wharf_process_new(host), *other = wharf_process_new(host);
    wharf_port port, busy, ports[2];
    wharf_pid nobody = {0};
    wharf_term *term, *answer;
    char bytes[4] = {'?', '?', '?', '?'};
    size_t len;
    CHECK(argc == 2);

    OK(wharf_driver_load(host, argv[1], "counter_drv"));
    OK(wharf_driver_load(host, argv[1], "call_drv"));
    OK(wharf_driver_load(host, argv[1], "busy_drv"));
    OK(wharf_open(me, "{spawn_driver, \"counter_drv\"}", "[binary]", &port));
    OK(wharf_port_try_command(me, port, "40", 2));
    OK(wharf_port_control(me, port, 'g', NULL, 0, &answer));
    CHECK(is_term(answer, "\"40\""));
    OK(wharf_port_control_bytes(me, port, 'g', NULL, 0, bytes, sizeof bytes, &len));
    CHECK(len == 2 && memcmp(bytes, "40??", sizeof bytes) == 0);
    memset(bytes, '?', sizeof bytes);
    OK(wharf_port_control_bytes(me, port, 'g', NULL, 0, bytes, 1, &len));
    CHECK(len == 2 && memcmp(bytes, "4???", sizeof bytes) == 0);
    OK(wharf_port_control_bytes(me, port, 'g', NULL, 0, NULL, 0, &len));
    CHECK(len == 2);
    FAILS(NULL, wharf_port_control_bytes(me, port, 'r', NULL, 0, NULL, 1, &len));
    SAYS("buffer is NULL");
    FAILS(NULL, wharf_port_control_bytes(me, port, 'r', NULL, 0, bytes, 1, NULL));
    FAILS(NULL, wharf_port_control_bytes(me, port, 'r', NULL, 1, bytes, 1, &len));
    FAILS(NULL, wharf_port_control_bytes(NULL, port, 'r', NULL, 0, bytes, 1, &len));
    len = 7;
    FAILS(BADARG, wharf_port_control_bytes(me, port, 12345, NULL, 0, bytes, 1, &len));
    CHECK(len == 7 && memcmp(bytes, "4???", sizeof bytes) == 0);
    OK(wharf_port_control(me, port, 'g', NULL, 0, &answer)); /* not reset by what failed */
    CHECK(is_term(answer, "\"40\""));
    OK(wharf_port_control(me, port, 'r', "", 0, NULL));
    FAILS(BADARG, wharf_port_control(me, port, 12345, NULL, 0, &answer));
    SAYS("control #Port<0.");
    OK(wharf_term_parse("[any, {term}]", &term));
    FAILS(BADARG, wharf_port_call(me, port, 1, term, &answer));
    FAILS(NULL, wharf_port_call(me, port, 1, NULL, &answer));
    wharf_term_free(term);

    OK(wharf_port_info(me, port, "name", &answer));
    CHECK(is_term(answer, "\"counter_drv\""));
    OK(wharf_port_info(me, port, "queue_size", &answer));
    CHECK(is_term(answer, "0"));
    FAILS(NOTFOUND, wharf_port_info(me, port, "colour", &answer));
    FAILS(NULL, wharf_port_info(me, port, NULL, &answer));

    OK(wharf_port_facts(me, port, &answer));
    OK(wharf_term_match(answer, "[{name, \"counter_drv\"}, {links, [_]} | _]", NULL));
    wharf_term_free(answer);
    FAILS(NULL, wharf_port_facts(me, port, NULL));
    CHECK(wharf_port_is_open(me, port) && !wharf_port_is_open(NULL, port));
    CHECK(wharf_port_os_pid(me, port) == -1);
    OK(wharf_port_get_data(me, port, &answer));
    CHECK(is_term(answer, "undefined"));
    OK(wharf_term_parse("{kept, 1}", &term));
    OK(wharf_port_set_data(me, port, term));
    OK(wharf_port_get_data(me, port, &answer));
    CHECK(is_term(answer, "{kept,1}"));
    FAILS(NULL, wharf_port_set_data(me, port, NULL));
    FAILS(TYPE, wharf_port_command_term(me, port, term));
    wharf_term_free(term);
    FAILS(NOTSUP, wharf_port_force_command(me, port, "1", 1));

    CHECK(wharf_host_ports(host, NULL, 0) == 1);
    CHECK(wharf_host_ports(host, NULL, 1) == (size_t)-1);
    CHECK(wharf_host_ports(host, ports, 2) == 1 && ports[0].id == port.id);

    OK(wharf_port_connect(me, port, wharf_process_pid(other)));
    FAILS(BADARG, wharf_port_connect(me, port, nobody));
    OK(wharf_port_command(me, port, "2", 1));
    OK(wharf_expect(other, SOON_MS, "{_, {data, <<\"2\">>}}"));
    OK(wharf_port_close(other, port));
    FAILS(CLOSED, wharf_port_control(me, port, 'g', NULL, 0, &answer));
    FAILS(CLOSED, wharf_port_control_bytes(me, port, 'g', NULL, 0, bytes, 1, &len));
    FAILS(CLOSED, wharf_port_connect(me, port, wharf_process_pid(me)));
    FAILS(CLOSED, wharf_port_info(me, port, "name", &answer));
    FAILS(CLOSED, wharf_port_facts(me, port, &answer));
    FAILS(CLOSED, wharf_port_get_data(me, port, &answer));
    CHECK(!wharf_port_is_open(me, port));

    /* Iodata, and a program. */
    OK(wharf_open_spawn(me, "cat", NULL, &port));
    CHECK(wharf_port_os_pid(me, port) > 1);
    OK(wharf_term_parse("[<<\"he\">>, [108, \"lo\"]]", &term));
    OK(wharf_port_command_term(me, port, term));
    wharf_term_free(term);
    OK(wharf_expect(me, SOON_MS, "{_, {data, \"hello\"}}"));
    OK(wharf_port_close(me, port));

    /* An open by terms. */
    OK(wharf_term_parse("{spawn, \"cat\"}", &term));
    OK(wharf_term_parse("[binary]", &answer));
    OK(wharf_open_term(me, term, answer, &port));
    OK(wharf_port_close(me, port));
    OK(wharf_open_term(me, term, NULL, &port));
    OK(wharf_port_close(me, port));
    FAILS(BADARG, wharf_open_term(me, answer, NULL, &port));
    FAILS(NULL, wharf_open_term(me, NULL, NULL, &port));
    wharf_term_free(term);
    wharf_term_free(answer);

    /* Terms there and back. */
    OK(wharf_open(me, "{spawn_driver, \"call_drv\"}", "[]", &port));
    OK(wharf_term_parse("[any, {term}]", &term));
    OK(wharf_port_call(me, port, 7, term, &answer));
    CHECK(is_term(answer, "{7,[any,{term}]}"));
    OK(wharf_port_call(me, port, 7, term, NULL));
    wharf_term_free(term);
    OK(wharf_port_close(me, port));

    /* A port that is busy until it is told otherwise. */
    OK(wharf_open(me, "{spawn_driver, \"busy_drv\"}", "[binary]", &busy));
    OK(wharf_port_control(me, busy, 'b', NULL, 0, NULL));
    FAILS(BUSY, wharf_port_try_command(me, busy, "x", 1));
    SAYS("is busy");
    OK(wharf_port_control(me, busy, 'f', NULL, 0, NULL));
    OK(wharf_port_try_command(me, busy, "x", 1));
    OK(wharf_expect(me, SOON_MS, "{_, {data, <<\"x\">>}}"));
    OK(wharf_port_close(me, busy));
    OK(wharf_host_close_ports(host, SOON_MS));
    OK(wharf_host_free(host));
    return 0;
}
