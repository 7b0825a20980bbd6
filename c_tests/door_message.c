/* Messages, kind by kind; what they hold is good until they are freed. */
#include "door.h"

static wharf_message next(const wharf_process *process)
{
    wharf_message message;
    OK(wharf_receive(process, SOON_MS, &message));
    return message;
}

static int holds(const wharf_message *message, const char *bytes)
{
    return message->len == strlen(bytes) && memcmp(message->bytes, bytes, message->len) == 0;
}

static int is_term(const wharf_term *term, const char *expected)
{
    char *text = wharf_term_text(term);
    int same = text != NULL && strcmp(text, expected) == 0;
    wharf_text_free(text);
    return same;
}

int main(void)
{
    wharf_host *host = wharf_host_new(NULL);
    wharf_process *me = wharf_process_new(host), *other = wharf_process_new(host);
    wharf_port port, cat;
    wharf_message one, two;
    wharf_term *term;

    OK(wharf_process_trap_exit(me, true));
    OK(wharf_open(me, "{spawn_executable, \"/bin/sh\"}",
                  "[binary, exit_status, eof, {line, 20}, {args, [\"-c\", \"echo one; printf two; exit 3\"]}]",
                  &port));
    one = next(me);
    CHECK(one.kind == WHARF_MESSAGE_LINE && one.complete && holds(&one, "one"));
    CHECK(one.port.id == port.id && one.term == NULL);
    two = next(me);
    /* The end of the input and the end of the program come in any order. */
    while (two.kind == WHARF_MESSAGE_EXIT_STATUS || two.kind == WHARF_MESSAGE_EOF) {
        CHECK(two.bytes == NULL && two.len == 0);
        CHECK(two.kind == WHARF_MESSAGE_EOF || two.status == 3);
        wharf_message_free(&two);
        two = next(me);
    }
    CHECK(two.kind == WHARF_MESSAGE_LINE && !two.complete && holds(&two, "two"));
    CHECK(holds(&one, "one"));
    wharf_message_free(&one);
    CHECK(one.kind == WHARF_MESSAGE_NONE && one.bytes == NULL);
    wharf_message_free(&one);
    wharf_message_free(&two);
    wharf_message_free(NULL);
    OK(wharf_port_close(me, port));
    do {
        wharf_message_free(&one);
        one = next(me);
    } while (one.kind == WHARF_MESSAGE_EXIT_STATUS || one.kind == WHARF_MESSAGE_EOF);
    CHECK(one.kind == WHARF_MESSAGE_EXIT && one.port.id == port.id && is_term(one.term, "normal"));
    wharf_message_free(&one);

    /* Selected by port, and by pattern. */
    OK(wharf_open(me, "{spawn, \"cat\"}", "[binary]", &port));
    OK(wharf_open(me, "{spawn, \"cat\"}", "[]", &cat));
    OK(wharf_port_command(me, cat, "second", 6));
    FAILS(SYNTAX, wharf_receive_match(me, SOON_MS, "{_, {data, \"sec\" ++ _}}", &term));
    OK(wharf_receive_match(me, SOON_MS, "{_, {data, [$s | _]}}", &term));
    wharf_term_free(term);
    OK(wharf_port_command(me, cat, "second", 6));
    OK(wharf_port_command(me, port, "first", 5));
    OK(wharf_receive_from(me, port, SOON_MS, &one));
    CHECK(one.kind == WHARF_MESSAGE_DATA && holds(&one, "first"));
    wharf_message_free(&one);
    OK(wharf_receive_from(me, cat, SOON_MS, &one));
    CHECK(one.kind == WHARF_MESSAGE_DATA && holds(&one, "second"));
    wharf_message_free(&one);
    FAILS(TIMEOUT, wharf_receive_from(me, cat, 0, &one));

    /* What is no port's message. */
    OK(wharf_process_send(other, wharf_process_pid(me), "#{any => <<\"thing\">>}"));
    one = next(me);
    CHECK(one.kind == WHARF_MESSAGE_OTHER && is_term(one.term, "#{any => <<\"thing\">>}"));
    wharf_message_free(&one);
    FAILS(SYNTAX, wharf_process_send(other, wharf_process_pid(me), "Variable"));

    FAILS(TIMEOUT, wharf_receive(me, 1, &one));
    FAILS(NULL, wharf_receive(me, 0, NULL));
    FAILS(NULL, wharf_receive(NULL, 0, &one));
    OK(wharf_port_close(me, port));
    OK(wharf_port_close(me, cat));
    OK(wharf_host_close_ports(host, SOON_MS));
    OK(wharf_host_free(host));
    FAILS(FREED, wharf_receive(me, 0, &one));
    return 0;
}
