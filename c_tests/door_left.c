/* What was left behind: each kind is counted and named, and is gone when it was put away. */
#include "door.h"

static wharf_host *host;
static wharf_process *me;
static wharf_port port;

static void control(unsigned operation, const char *data)
{
    OK(wharf_port_control(me, port, operation, data, strlen(data), NULL));
}

static wharf_leftovers left(void)
{
    wharf_leftovers counts;
    FAILS(LEFT, wharf_host_left(host, &counts));
    return counts;
}

/* There is nothing but the port. */
#define CLEAN() CHECK(left().all == 1 && left().ports == 1)

static void each_kind(void)
{
    wharf_term *to = wharf_term_pid(wharf_process_pid(me));
    wharf_reference monitor, timer;
    CLEAN();
    SAYS("left behind: port #Port<0.");
    SAYS("(careless_drv), owned by <0.");

    control('a', "1000");
    control('a', "5");
    CHECK(left().all == 3 && left().binaries == 2 && left().binary_bytes == 1005);
    SAYS("binary of 1000 bytes, allocated by careless_drv");
    SAYS("binary of 5 bytes, allocated by careless_drv");
    control('f', "");
    CHECK(left().binaries == 1 && left().binary_bytes == 1000);
    control('f', "");
    CLEAN();

    control('s', "");
    CHECK(left().descriptors == 1 && left().all == 2);
    SAYS("selected by #Port<0.");
    control('S', "");
    CLEAN();

    control('t', "");
    CHECK(left().timers == 1 && left().all == 2);
    SAYS("timer of #Port<0.");
    control('T', "");
    CLEAN();
    OK(wharf_send_after(me, 3600000, to, to, &timer));
    CHECK(left().timers == 1 && left().all == 2);
    SAYS("to be sent in 3");
    OK(wharf_timer_cancel(me, timer, NULL));
    CLEAN();

    control('m', "");
    CHECK(left().monitors == 1 && left().all == 2);
    SAYS("monitor of <0.");
    control('M', "");
    CLEAN();
    OK(wharf_port_monitor(me, port, &monitor));
    CHECK(left().monitors == 1 && left().all == 2);
    SAYS("monitor of #Port<0.");
    OK(wharf_process_demonitor(me, monitor));
    CLEAN();

    control('j', "");
    CHECK(left().jobs == 1 && left().all == 2);
    SAYS("job of driver_async");
    control('J', "");

    control('h', "");
    CHECK(left().threads == 1);
    SAYS("thread idler of careless_drv, not joined");
    control('H', "");
    while (left().all != 1)
        ; /* until the job has ended */
    wharf_term_free(to);
}

int main(int argc, char **argv)
{
    wharf_leftovers counts;
    wharf_host_settings settings;
    wharf_message message;
    CHECK(argc == 2);

    host = wharf_host_new(NULL);
    OK(wharf_host_left(host, NULL));
    CHECK((me = wharf_process_new(host)) != NULL);
    OK(wharf_host_left(host, &counts));
    CHECK(counts.all == 0 && counts.binaries == 0);
    OK(wharf_driver_load(host, argv[1], "careless_drv"));
    OK(wharf_open_driver(me, "careless_drv", NULL, &port));
    each_kind();
    OK(wharf_port_close(me, port));
    OK(wharf_host_close_ports(host, -1));
    OK(wharf_host_end(host, &counts));
    CHECK(counts.all == 0);
    FAILS(FREED, wharf_host_end(host, &counts));
    FAILS(FREED, wharf_host_left(host, &counts));
    FAILS(NULL, wharf_host_left(NULL, &counts));
    FAILS(NULL, wharf_host_end(NULL, &counts));

    /* A binary that a driver sends is not the driver's any more, but whoever keeps the message keeps it. */
    CHECK((host = wharf_host_new(NULL)) != NULL);
    CHECK((me = wharf_process_new(host)) != NULL);
    OK(wharf_driver_load(host, argv[1], "term_drv"));
    OK(wharf_open_driver(me, "term_drv", NULL, &port));
    OK(wharf_port_command(me, port, "shared", 6));
    OK(wharf_receive(me, SOON_MS, &message));
    OK(wharf_port_close(me, port));
    OK(wharf_host_close_ports(host, SOON_MS));
    CHECK(wharf_host_left(host, &counts) == WHARF_STATUS_LEFT && counts.binary_bytes == 100);
    FAILS(LEFT, wharf_host_end(host, &counts));
    CHECK(counts.all == 1 && counts.binaries == 1 && counts.binary_bytes == 100);
    CHECK(strcmp(wharf_error_text(), "wharf_host_end: left behind: binary of 100 bytes, allocated by "
                                     "term_drv") == 0);
    wharf_message_free(&message);

    /* Who does not want it known, pays nothing. */
    memset(&settings, 0, sizeof settings);
    settings.binaries_unnoted = true;
    CHECK((host = wharf_host_new(&settings)) != NULL);
    CHECK((me = wharf_process_new(host)) != NULL);
    OK(wharf_driver_load(host, argv[1], "careless_drv"));
    OK(wharf_open_driver(me, "careless_drv", NULL, &port));
    control('a', "123");
    CLEAN();
    control('f', "");
    OK(wharf_port_close(me, port));
    OK(wharf_host_close_ports(host, SOON_MS));
    OK(wharf_host_free(host));
    return 0;
}
