/* What the library has to say is handed to a callback, also from a driver's own thread. */
#include "door.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int heard;
static int heard_elsewhere;
static char last[1000];
static pthread_t main_thread;
static wharf_host *asked;

static void say(void *user, wharf_log_level level, const char *text)
{
    CHECK(user == &heard);
    CHECK(level == WHARF_LOG_ERROR || level == WHARF_LOG_WARNING);
    pthread_mutex_lock(&lock);
    heard++;
    if (!pthread_equal(pthread_self(), main_thread))
        heard_elsewhere++;
    snprintf(last, sizeof last, "%s", text);
    pthread_mutex_unlock(&lock);
    /* It may ask the library for something, as long as it need not wait. */
    CHECK(wharf_host_ports_count(asked) == 1);
}

int main(int argc, char **argv)
{
    wharf_host *host = asked = wharf_host_new(NULL);
    wharf_process *me = wharf_process_new(host);
    wharf_port port;
    CHECK(argc == 2);
    main_thread = pthread_self();
    OK(wharf_log_set(WHARF_LOG_WARNING, say, &heard));
    FAILS(RANGE, wharf_log_set((wharf_log_level)0, say, &heard));
    FAILS(RANGE, wharf_log_set((wharf_log_level)6, say, &heard));
    OK(wharf_driver_load(host, argv[1], "careless_drv"));
    OK(wharf_open(me, "{spawn_driver, \"careless_drv\"}", "[]", &port));
    CHECK(heard == 0);

    OK(wharf_port_control(me, port, 'd', NULL, 0, NULL));
    CHECK(heard == 1 && heard_elsewhere == 0);
    CHECK(strstr(last, "driver: \"careless_drv\"") != NULL || strstr(last, "driver: careless_drv") != NULL);
    CHECK(strstr(last, "driver_binary_dec_refc") != NULL);
    OK(wharf_port_control(me, port, 'D', NULL, 0, NULL));
    CHECK(heard == 2 && heard_elsewhere == 1);

    /* Errors only, and nothing at all. */
    OK(wharf_log_set(WHARF_LOG_WARNING, NULL, NULL));
    OK(wharf_port_control(me, port, 's', NULL, 0, NULL));
    OK(wharf_port_close(me, port));
    CHECK(heard == 2);
    OK(wharf_open(me, "{spawn_driver, \"careless_drv\"}", "[]", &port));
    OK(wharf_port_control(me, port, 's', NULL, 0, NULL));
    OK(wharf_log_set(WHARF_LOG_TRACE, say, &heard));
    OK(wharf_port_control(me, port, 'S', NULL, 0, NULL));
    CHECK(heard == 2);
    OK(wharf_log_set(WHARF_LOG_ERROR, NULL, NULL));
    OK(wharf_port_close(me, port));
    OK(wharf_host_close_ports(host, SOON_MS));
    OK(wharf_host_free(host));
    return 0;
}
