/* Links, monitors, exit signals and names. */
#include "door.h"

int main(void)
{
    wharf_host *host = wharf_host_new(NULL);
    wharf_process *me = wharf_process_new(host), *other = wharf_process_new(host);
    wharf_pid pid = wharf_process_pid(other), found_pid, nobody = {0};
    wharf_port port, found;
    wharf_reference monitor;
    wharf_message message;

    OK(wharf_process_trap_exit(me, true));
    OK(wharf_open(me, "{spawn, \"cat\"}", "[]", &port));

    OK(wharf_port_register(me, port, "the cat"));
    FAILS(BADARG, wharf_port_register(me, port, "again"));
    FAILS(BADARG, wharf_process_register(me, pid, "the cat"));
    OK(wharf_process_register(me, pid, "other"));
    OK(wharf_name_whereis(me, "the cat", &found, &found_pid));
    CHECK(found.id == port.id && found_pid.id == 0);
    OK(wharf_name_whereis(me, "other", NULL, &found_pid));
    CHECK(found_pid.id == pid.id);
    OK(wharf_name_unregister(me, "other"));
    FAILS(NOTFOUND, wharf_name_whereis(me, "other", NULL, NULL));
    FAILS(BADARG, wharf_name_unregister(me, "other"));

    /* A monitor that was taken back says nothing, the other one does. */
    OK(wharf_process_monitor(me, pid, &monitor));
    OK(wharf_process_demonitor(me, monitor));
    OK(wharf_process_monitor(me, pid, &monitor));
    OK(wharf_process_link(me, pid));
    OK(wharf_process_unlink(me, pid));
    OK(wharf_process_link(me, pid));
    OK(wharf_process_exit(me, pid, "{over, 1}"));
    OK(wharf_receive(me, SOON_MS, &message));
    CHECK(message.kind == WHARF_MESSAGE_EXIT && message.pid.id == pid.id && message.port.id == 0);
    wharf_message_free(&message);
    OK(wharf_receive(me, SOON_MS, &message));
    CHECK(message.kind == WHARF_MESSAGE_DOWN && message.pid.id == pid.id);
    CHECK(message.reference.id == monitor.id);
    wharf_message_free(&message);

    /* The other has ended, and is not freed yet. */
    FAILS(EXITED, wharf_receive(other, 0, &message));
    SAYS("{over,1}");
    FAILS(EXITED, wharf_process_link(other, pid));
    FAILS(EXITED, wharf_open(other, "{spawn, \"cat\"}", "[]", &found));
    FAILS(EXITED, wharf_port_command(other, port, "x", 1));
    OK(wharf_process_free(other));
    FAILS(FREED, wharf_receive(other, 0, &message));

    /* Ports. */
    other = wharf_process_new(host);
    OK(wharf_port_monitor(other, port, &monitor));
    OK(wharf_port_link(other, port));
    OK(wharf_port_unlink(other, port));
    OK(wharf_port_exit(other, port, "kill"));
    OK(wharf_expect(me, SOON_MS, "{'EXIT', _, killed}"));
    OK(wharf_receive(other, SOON_MS, &message));
    CHECK(message.kind == WHARF_MESSAGE_DOWN && message.port.id == port.id);
    wharf_message_free(&message);
    FAILS(NOPROC, wharf_port_link(other, port));
    FAILS(NOTFOUND, wharf_name_whereis(me, "the cat", NULL, NULL));

    FAILS(NULL, wharf_port_exit(me, port, NULL));
    FAILS(NULL, wharf_port_monitor(me, port, NULL));
    FAILS(NULL, wharf_process_link(NULL, nobody));
    OK(wharf_host_close_ports(host, SOON_MS));
    OK(wharf_host_free(host));
    return 0;
}
