/* Two threads use one process and one port; a host is freed while a thread waits in it. */
#include "door.h"

#include <pthread.h>

#define ROUNDS 1000

static wharf_process *me;
static wharf_port port;

static void *command(void *unused)
{
    int i;
    for (i = 0; i < ROUNDS; i++)
        OK(wharf_port_command(me, port, "12345678", 8));
    /* Each thread has a last error of its own. */
    CHECK(strcmp(wharf_error_text(), "") == 0);
    return unused;
}

static void *wait_for_ever(void *unused)
{
    wharf_message message;
    wharf_status status = wharf_receive(me, -1, &message);
    /* Either it waited already, or the host was gone before it came. */
    CHECK(status == WHARF_STATUS_EXITED || status == WHARF_STATUS_FREED);
    return unused;
}

int main(void)
{
    wharf_host *host = wharf_host_new(NULL);
    pthread_t threads[2];
    size_t heard = 0;
    wharf_message message;

    me = wharf_process_new(host);
    OK(wharf_open(me, "{spawn, \"cat\"}", "[binary]", &port));
    FAILS(TIMEOUT, wharf_receive(me, 0, &message));
    CHECK(pthread_create(&threads[0], NULL, command, NULL) == 0);
    CHECK(pthread_create(&threads[1], NULL, command, NULL) == 0);
    while (heard < 2 * ROUNDS * 8) {
        OK(wharf_receive(me, SOON_MS, &message));
        CHECK(message.kind == WHARF_MESSAGE_DATA);
        heard += message.len;
        wharf_message_free(&message);
    }
    CHECK(heard == 2 * ROUNDS * 8);
    CHECK(pthread_join(threads[0], NULL) == 0 && pthread_join(threads[1], NULL) == 0);

    OK(wharf_port_close(me, port));
    OK(wharf_host_close_ports(host, SOON_MS));
    CHECK(pthread_create(&threads[0], NULL, wait_for_ever, NULL) == 0);
    OK(wharf_host_free(host));
    CHECK(pthread_join(threads[0], NULL) == 0);
    return 0;
}
