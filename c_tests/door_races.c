/* Threads that do everything at once in one host, with ports of a driver only, so that this also runs
 * under the thread sanitizer, which cannot stand that programs are started. */
#include "door.h"

#include <pthread.h>

#define THREADS 4
#define ROUNDS 100

static wharf_host *host;
static wharf_process *shared;
static wharf_port shared_port;
static wharf_term *term;
static int numbers[THREADS];

/* Its own process and port, and the term that all read. */
static void alone(int number)
{
    wharf_process *me = wharf_process_new(host);
    wharf_message message;
    wharf_port port;
    char name[] = "thread_0", word[] = "{thread, 0}";
    int i;

    name[7] = (char)('0' + number);
    word[9] = (char)('0' + number);
    OK(wharf_open(me, "{spawn_driver, \"echo_drv\"}", "[binary]", &port));
    OK(wharf_port_register(me, port, name));
    for (i = 0; i < ROUNDS; i++) {
        char *text;
        OK(wharf_port_command(me, port, word, sizeof word));
        OK(wharf_receive(me, SOON_MS, &message));
        CHECK(message.kind == WHARF_MESSAGE_DATA && message.port.id == port.id);
        CHECK(message.len == sizeof word && memcmp(message.bytes, word, sizeof word) == 0);
        wharf_message_free(&message);
        text = wharf_term_text(term);
        CHECK(strcmp(text, "[{a,1},<<\"b\">>]") == 0);
        wharf_text_free(text);
    }
    OK(wharf_process_send(me, wharf_process_pid(shared), word));
    OK(wharf_port_close(me, port));
    OK(wharf_process_free(me));
}

/* The process and the port that all share. */
static void together(void)
{
    wharf_port found[8];
    int i;
    for (i = 0; i < ROUNDS; i++) {
        OK(wharf_port_command(shared, shared_port, "12345678", 8));
        CHECK(wharf_host_ports(host, found, 8) >= 1);
        CHECK(wharf_process_messages_count(shared) != (size_t)-1);
    }
}

static void *run(void *number)
{
    alone(*(int *)number);
    together();
    /* Nothing went wrong on this thread, whatever did on others. */
    CHECK(strcmp(wharf_error_text(), "") == 0);
    return NULL;
}

/* Uses the process for as long as it is there. */
static void *use(void *unused)
{
    wharf_message message;
    wharf_status status;
    do {
        status = wharf_receive(shared, -1, &message);
        if (status == WHARF_STATUS_OK)
            wharf_message_free(&message);
    } while (status == WHARF_STATUS_OK);
    CHECK(status == WHARF_STATUS_EXITED || status == WHARF_STATUS_FREED);
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS];
    wharf_message message;
    size_t heard = 0, told = 0;
    int i;

    CHECK(argc == 2);
    host = wharf_host_new(NULL);
    shared = wharf_process_new(host);
    OK(wharf_driver_load(host, argv[1], "echo_drv"));
    OK(wharf_open(shared, "{spawn_driver, \"echo_drv\"}", "[binary]", &shared_port));
    OK(wharf_term_parse("[{a, 1}, <<\"b\">>]", &term));
    for (i = 0; i < THREADS; i++) {
        numbers[i] = i;
        CHECK(pthread_create(&threads[i], NULL, run, &numbers[i]) == 0);
    }
    while (heard < THREADS * ROUNDS * 8 || told < THREADS) {
        OK(wharf_receive(shared, SOON_MS, &message));
        if (message.kind == WHARF_MESSAGE_DATA)
            heard += message.len;
        else
            told++;
        wharf_message_free(&message);
    }
    for (i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(heard == THREADS * ROUNDS * 8 && told == THREADS);
    CHECK(wharf_host_ports_count(host) == 1);
    wharf_term_free(term);

    /* Freed in the middle of use by others. */
    for (i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, use, NULL) == 0);
    OK(wharf_port_command(shared, shared_port, "last", 4));
    FAILS(LEFT, wharf_host_free(host));
    for (i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    return 0;
}
