/* What a call through wharf.h costs: the same loops as in border.rs, which compiles and runs this.
 *
 * Arguments: the folder of the drivers, the name of the loop, how many rounds. Prints nanoseconds of
 * processor time per round.
 */
#include "wharf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void must(wharf_status status)
{
    if (status != WHARF_STATUS_OK) {
        fprintf(stderr, "%s: %s\n", wharf_status_text(status), wharf_error_text());
        exit(1);
    }
}

/* Of the processor: the machine may be busy with something else. */
static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

int main(int argc, char **argv)
{
    wharf_host *host = wharf_host_new(NULL);
    wharf_process *me = wharf_process_new(host);
    wharf_options *options = wharf_options_new();
    wharf_port port;
    wharf_message message;
    long rounds, i;
    double began;
    if (argc != 4)
        return 2;
    rounds = atol(argv[3]);
    must(wharf_driver_load(host, argv[1], "echo_drv"));
    must(wharf_driver_load(host, argv[1], "counter_drv"));
    must(wharf_options_flag(options, WHARF_FLAG_BINARY));

    if (strcmp(argv[2], "echo") == 0) {
        must(wharf_open_driver(me, "echo_drv", options, &port));
        began = now_ns();
        for (i = 0; i < rounds; i++) {
            must(wharf_port_command(me, port, "12345678", 8));
            must(wharf_receive(me, -1, &message));
            wharf_message_free(&message);
        }
    } else if (strcmp(argv[2], "control") == 0) {
        wharf_term *answer;
        must(wharf_open_driver(me, "counter_drv", options, &port));
        began = now_ns();
        for (i = 0; i < rounds; i++) {
            must(wharf_port_control(me, port, 'g', NULL, 0, &answer));
            wharf_term_free(answer);
        }
    } else if (strcmp(argv[2], "bytes") == 0) {
        char answer[32];
        size_t len;
        must(wharf_open_driver(me, "counter_drv", options, &port));
        began = now_ns();
        for (i = 0; i < rounds; i++)
            must(wharf_port_control_bytes(me, port, 'g', NULL, 0, answer, sizeof answer, &len));
    } else if (strcmp(argv[2], "program") == 0) {
        must(wharf_open_spawn(me, "cat", options, &port));
        began = now_ns();
        for (i = 0; i < rounds; i++) {
            must(wharf_port_command(me, port, "12345678", 8));
            must(wharf_receive(me, -1, &message));
            wharf_message_free(&message);
        }
    } else {
        return 2;
    }
    printf("%.1f\n", (now_ns() - began) / (double)rounds);
    wharf_options_free(options);
    return 0;
}
