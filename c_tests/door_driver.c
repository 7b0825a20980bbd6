/* The test that the author of a driver writes. The first argument is the folder of the drivers. */
#include "door.h"

int main(int argc, char **argv)
{
    wharf_host *host = wharf_host_new(NULL);
    wharf_process *me = wharf_process_new(host);
    wharf_port port;
    wharf_term *term, *parts[2], *arguments;
    char file[4096];
    CHECK(argc == 2);

    OK(wharf_driver_load(host, argv[1], "counter_drv"));
    OK(wharf_open(me, "{spawn_driver, \"counter_drv\"}", "[binary]", &port));
    OK(wharf_port_command(me, port, "5", 1));
    OK(wharf_expect(me, SOON_MS, "{Port, {data, <<\"5\">>}}"));
    OK(wharf_port_command(me, port, "-7", 2));
    OK(wharf_expect(me, SOON_MS, "{Port, {data, <<\"-2\">>}}"));
    OK(wharf_port_close(me, port));

    FAILS(REFUSED, wharf_driver_load(host, argv[1], "no_such_drv"));
    SAYS("no such file");
    FAILS(BADARG, wharf_open(me, "{spawn_driver, \"no_such_drv\"}", "[]", &port));

    /* What is loaded, and what is in a file. */
    OK(wharf_driver_names(host, &term));
    OK(wharf_term_match(term, "[\"counter_drv\"]", NULL));
    wharf_term_free(term);
    OK(wharf_driver_info(host, "counter_drv", &term));
    OK(wharf_term_match(term, "[{processes, [{_, 1}]} | _]", NULL));
    wharf_term_free(term);
    FAILS(NOTFOUND, wharf_driver_info(host, "no_such_drv", &term));
    snprintf(file, sizeof file, "%s/echo_drv.so", argv[1]);
    OK(wharf_driver_inspect(host, file, &term));
    OK(wharf_term_match(term, "#{name => <<\"echo_drv\">>, version => {3, _}, flags => _}", NULL));
    wharf_term_free(term);
    FAILS(REFUSED, wharf_driver_inspect(host, "/etc/passwd", &term));
    term = wharf_driver_samples();
    CHECK(wharf_term_kind_of(term) == WHARF_TERM_LIST || wharf_term_kind_of(term) == WHARF_TERM_NIL);
    wharf_term_free(term);
    term = wharf_driver_symbols();
    CHECK(wharf_term_size(term) > 80);
    wharf_term_free(term);

    /* The rest of erl_ddll, in the name of a process. */
    parts[0] = wharf_term_charlist(argv[1]);
    parts[1] = wharf_term_charlist("counter_drv");
    arguments = wharf_term_list(parts, 2);
    OK(wharf_driver_call(me, "load", arguments, &term));
    CHECK(wharf_term_is_atom(term, "ok"));
    wharf_term_free(term);
    FAILS(NOTFOUND, wharf_driver_call(me, "no_such_function", arguments, &term));
    wharf_term_free(arguments);
    OK(wharf_term_parse("[1.5, 2]", &arguments));
    FAILS(BADARG, wharf_driver_call(me, "load", arguments, &term));
    wharf_term_free(arguments);
    OK(wharf_term_parse("nolist", &arguments));
    FAILS(BADARG, wharf_driver_call(me, "load", arguments, NULL));
    wharf_term_free(arguments);
    OK(wharf_term_parse("[\"counter_drv\"]", &arguments));
    OK(wharf_driver_call(me, "unload", arguments, NULL));
    wharf_term_free(arguments);

    /* Unloading takes its time, and can be heard of. */
    OK(wharf_term_parse("[driver, {\"counter_drv\", unloaded}]", &arguments));
    OK(wharf_driver_call(me, "monitor", arguments, NULL));
    wharf_term_free(arguments);
    OK(wharf_driver_unload(host, "counter_drv"));
    OK(wharf_expect(me, SOON_MS, "{'DOWN', _, driver, counter_drv, unloaded}"));
    OK(wharf_driver_names(host, &term));
    CHECK(wharf_term_kind_of(term) == WHARF_TERM_NIL);
    wharf_term_free(term);
    FAILS(REFUSED, wharf_driver_unload(host, "counter_drv"));
    FAILS(NULL, wharf_driver_unload(host, NULL));
    FAILS(NULL, wharf_driver_call(me, NULL, NULL, NULL));
    FAILS(NULL, wharf_driver_call(me, "info", NULL, NULL));
    FAILS(NULL, wharf_driver_info(host, "x", NULL));
    OK(wharf_host_free(host));
    return 0;
}
