/*
 * wharf.h - Erlang's port system without the Erlang virtual machine, for C and C++.
 *
 * A host is a small world of processes and ports. A process opens ports and gets messages from
 * them:
 *
 *     wharf_host *host = wharf_host_new(NULL);
 *     wharf_process *me = wharf_process_new(host);
 *     wharf_port port;
 *     wharf_open(me, "{spawn, \"cat\"}", "[binary]", &port);
 *     wharf_port_command(me, port, "hello", 5);
 *     wharf_expect(me, 1000, "{Port, {data, <<\"hello\">>}}");
 *     wharf_host_free(host);
 *
 * Threads: every function may be called from any thread, unless its text says otherwise. There is no
 * global state, and no lock is held while code of yours runs.
 *
 * Results: functions answer a wharf_status, 0 for success, or NULL or (size_t)-1 for a failure.
 * wharf_error_text() then says what went wrong on this thread, with the port and the operation. What a
 * function writes through a pointer is written on success only.
 *
 * Ownership: what a function makes for you is freed by the function of its kind. Texts and bytes that
 * you hand over are read during the call and not kept. Text is UTF-8 with a NUL at its end; bytes
 * come with a length, and NULL with length 0 is no bytes.
 *
 * Mistakes: NULL, a host or process that was freed, and a port that is closed are told by a status.
 *
 * Numbers of statuses and of other constants are never given another meaning.
 */


#ifndef WHARF_H
#define WHARF_H

/* Made of src/capi by cbindgen: WHARF_REGENERATE=1 cargo test --test c_header */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The version of this header: its first number. Programs made for another first number do not
 * work with this library.
 */
#define WHARF_VERSION_MAJOR 0

/**
 * The version of this header: its second number.
 */
#define WHARF_VERSION_MINOR 1

/**
 * The version of this header: its third number.
 */
#define WHARF_VERSION_PATCH 0

/**
 * The version of this header as one number, to be compared: 1.2.3 is 1002003.
 */
#define WHARF_VERSION_NUMBER 1000

/**
 * What programs and library have to agree in. It changes when programs must be compiled anew, and never
 * otherwise: compare it with what `wharf_abi_version` answers.
 */
#define WHARF_ABI_VERSION 1

/**
 * How a function ended. 0 is success. A number is never given another meaning, and numbers that
 * are not listed here may come from a later version of the library: treat them as failures.
 *
 * `wharf_status_text` has words for each; `wharf_error_text` says what exactly went wrong.
 */
typedef enum {
    /**
     * It was done.
     */
    WHARF_STATUS_OK = 0,
    /**
     * An argument is NULL that must not be, or a length is larger than memory can be.
     */
    WHARF_STATUS_NULL = 1,
    /**
     * The host or process was freed, or there never was one of this address.
     */
    WHARF_STATUS_FREED = 2,
    /**
     * An argument is wrong: Erlang's `badarg`.
     */
    WHARF_STATUS_BADARG = 3,
    /**
     * The text is not a term, not a pattern, or not UTF-8.
     */
    WHARF_STATUS_SYNTAX = 4,
    /**
     * The port is closed, or there never was one of this identity in this host.
     */
    WHARF_STATUS_CLOSED = 5,
    /**
     * The process has ended.
     */
    WHARF_STATUS_EXITED = 6,
    /**
     * Nothing came in time.
     */
    WHARF_STATUS_TIMEOUT = 7,
    /**
     * What came in time was something else.
     */
    WHARF_STATUS_MISMATCH = 8,
    /**
     * The port is busy, and the call was not to wait.
     */
    WHARF_STATUS_BUSY = 9,
    /**
     * The port or its driver cannot do this: Erlang's `notsup`.
     */
    WHARF_STATUS_NOTSUP = 10,
    /**
     * There is none of this name: no process or port, no driver, no timer.
     */
    WHARF_STATUS_NOTFOUND = 11,
    /**
     * The process or port to be linked has ended: Erlang's `noproc`.
     */
    WHARF_STATUS_NOPROC = 12,
    /**
     * The host has as many ports or processes as it may have: Erlang's `system_limit`.
     */
    WHARF_STATUS_LIMIT = 13,
    /**
     * The system or a driver refused; `wharf_error_reason` has its word for it, for example
     * `enoent`.
     */
    WHARF_STATUS_REFUSED = 14,
    /**
     * The term is of another kind than the function is about.
     */
    WHARF_STATUS_TYPE = 15,
    /**
     * A number or an index is outside what it may be.
     */
    WHARF_STATUS_RANGE = 16,
    /**
     * It was done, and something was left that somebody should have put away.
     */
    WHARF_STATUS_LEFT = 17,
    /**
     * A fault in wharf itself, which it has survived. Please report it.
     */
    WHARF_STATUS_INTERNAL = 18,
    /**
     * Never answered. It makes room in the type for the numbers of later versions.
     */
    WHARF_STATUS_LARGEST = 2147483647,
} wharf_status;

/**
 * How much a message of the log matters. Later versions may know more.
 */
typedef enum {
    /**
     * Something has failed, or a driver breaks a rule that Erlang's log tells of, too.
     */
    WHARF_LOG_ERROR = 1,
    /**
     * Something is likely wrong: a driver breaks a rule, or takes long.
     */
    WHARF_LOG_WARNING = 2,
    /**
     * What may be good to know.
     */
    WHARF_LOG_INFO = 3,
    /**
     * For people who look for a fault.
     */
    WHARF_LOG_DEBUG = 4,
    /**
     * Everything.
     */
    WHARF_LOG_TRACE = 5,
} wharf_log_level;

/**
 * Options that are there or not.
 */
typedef enum {
    /**
     * `binary`: data comes as binaries instead of lists. Of bytes in a `wharf_message` this changes
     * nothing.
     */
    WHARF_FLAG_BINARY = 1,
    /**
     * `exit_status`: the owner is told how the program ended.
     */
    WHARF_FLAG_EXIT_STATUS = 2,
    /**
     * `eof`: the end of the port's output is a message, not the end of the port.
     */
    WHARF_FLAG_EOF = 3,
    /**
     * `nouse_stdio`: the program talks on its descriptors 3 and 4 instead of 0 and 1.
     */
    WHARF_FLAG_NOUSE_STDIO = 4,
    /**
     * `stderr_to_stdout`: what the program writes to its standard error comes as data, too.
     */
    WHARF_FLAG_STDERR_TO_STDOUT = 5,
    /**
     * `in`: data comes from the port only.
     */
    WHARF_FLAG_IN = 6,
    /**
     * `out`: data goes to the port only.
     */
    WHARF_FLAG_OUT = 7,
    /**
     * `{parallelism, true}`: a hint that `wharf_port_info` shows.
     */
    WHARF_FLAG_PARALLELISM = 8,
} wharf_flag;

/**
 * What a message is. Later versions may know more kinds.
 */
typedef enum {
    /**
     * None: the message was freed, or none has come.
     */
    WHARF_MESSAGE_NONE = 0,
    /**
     * `{Port, {data, Data}}`: `port`, and the bytes in `bytes` and `len`.
     */
    WHARF_MESSAGE_DATA = 1,
    /**
     * `{Port, {data, {eol | noeol, Line}}}`: as data, without the end of the line. `complete` is
     * false where the line's end was not seen yet.
     */
    WHARF_MESSAGE_LINE = 2,
    /**
     * `{Port, {exit_status, Status}}`: `port`, and the program's `status`; 128 and more is a signal.
     */
    WHARF_MESSAGE_EXIT_STATUS = 3,
    /**
     * `{Port, eof}`: the program has closed its output; `port` is still open.
     */
    WHARF_MESSAGE_EOF = 4,
    /**
     * `{Port, closed}`: the answer to the message `{Owner, close}`.
     */
    WHARF_MESSAGE_CLOSED = 5,
    /**
     * `{Port, connected}`: the answer to the message `{Owner, {connect, Pid}}`.
     */
    WHARF_MESSAGE_CONNECTED = 6,
    /**
     * `{'EXIT', From, Reason}`: a linked port or process, in `port` or `pid`, has ended; `term` is
     * the reason.
     */
    WHARF_MESSAGE_EXIT = 7,
    /**
     * `{'DOWN', Reference, _, Object, Reason}`: what was monitored, in `port` or `pid` unless it was
     * by name, has ended; `reference` is the monitor, `term` the reason.
     */
    WHARF_MESSAGE_DOWN = 8,
    /**
     * Anything else: `term` is the message.
     */
    WHARF_MESSAGE_OTHER = 9,
} wharf_message_kind;

/**
 * What a term is. Later versions may know more kinds.
 */
typedef enum {
    /**
     * None: the pointer is NULL.
     */
    WHARF_TERM_NONE = 0,
    /**
     * An atom; `true` and `false` are, too.
     */
    WHARF_TERM_ATOM = 1,
    /**
     * An integer, of any size.
     */
    WHARF_TERM_INTEGER = 2,
    /**
     * A float.
     */
    WHARF_TERM_FLOAT = 3,
    /**
     * A binary.
     */
    WHARF_TERM_BINARY = 4,
    /**
     * Bits that are no whole bytes.
     */
    WHARF_TERM_BITSTRING = 5,
    /**
     * The empty list.
     */
    WHARF_TERM_NIL = 6,
    /**
     * A list that is not empty.
     */
    WHARF_TERM_LIST = 7,
    /**
     * A tuple.
     */
    WHARF_TERM_TUPLE = 8,
    /**
     * A map.
     */
    WHARF_TERM_MAP = 9,
    /**
     * The identity of a process.
     */
    WHARF_TERM_PID = 10,
    /**
     * The identity of a port.
     */
    WHARF_TERM_PORT = 11,
    /**
     * A reference.
     */
    WHARF_TERM_REFERENCE = 12,
    /**
     * A function.
     */
    WHARF_TERM_FUN = 13,
    /**
     * An identity that another node has made: it can be printed, compared and encoded.
     */
    WHARF_TERM_FOREIGN = 14,
} wharf_term_kind;

/**
 * A host: a small world of processes, ports and drivers. Any number can live in a program, and
 * they do not see each other.
 *
 * Made by `wharf_host_new`, ended by `wharf_host_free`. All threads may use it. The pointer names
 * the host and does not point to memory; after `wharf_host_free` every function that is given
 * it, or a process of that host, answers `WHARF_STATUS_FREED`.
 */
typedef struct wharf_host wharf_host;

/**
 * What keeps a message's bytes and terms.
 */
typedef struct wharf_message_body wharf_message_body;

/**
 * How a port is to be opened: framing, lines, environment and so on. At first all is as with an empty
 * list of options in Erlang: a stream of lists of bytes, both ways.
 *
 * Made by `wharf_options_new`, freed by `wharf_options_free`, and good for any number of opens. One
 * thread at a time may change it.
 */
typedef struct wharf_options wharf_options;

/**
 * A process: somebody who owns ports and gets messages. It has no thread of its own; threads act
 * for it by calling functions with it.
 *
 * Made by `wharf_process_new`, ended by `wharf_process_free`, or with its host. All threads may
 * use it at the same time; one of them receives at a time, others that try wait for their turn. It
 * may end before it is freed, by an exit signal from a port or process that it is linked to;
 * functions then answer `WHARF_STATUS_EXITED`. The pointer names the process and does not
 * point to memory: once it is freed, functions answer `WHARF_STATUS_FREED`.
 */
typedef struct wharf_process wharf_process;

/**
 * A value of Erlang: an atom, a number, a binary, a tuple, a list, a map … It never changes.
 *
 * Who makes or is given a term frees it with `wharf_term_free`, once. A `const wharf_term *` that a
 * function hands out is lent: it belongs to the term, or the message, that it is a part of, and is good
 * for as long as that is. Any number of threads may read the same term.
 */
typedef struct wharf_term wharf_term;

/**
 * What is called with a message of the log: the text ends with a NUL, and is good during the call only.
 */
typedef void (*wharf_log_callback)(void *user, wharf_log_level level, const char *text);

/**
 * Settings of a host, for `wharf_host_new`. Fill it with zeros first: 0 and NULL mean what is
 * usual.
 */
typedef struct {
    /**
     * How many ports may be open at once: usually 65,536. One more is `WHARF_STATUS_LIMIT`.
     */
    size_t ports_max;
    /**
     * How many messages may wait for one process: usually any number. A process that gets one
     * more is ended.
     */
    size_t messages_max;
    /**
     * How many threads serve `driver_async`: usually 1, at most 1024.
     */
    size_t async_threads;
    /**
     * How many threads may run ports whose callers did not run them themselves: usually one per
     * processor, and at least two.
     */
    size_t work_threads;
    /**
     * Folders, separated by `:`, where `{spawn_driver, Name}` finds `Name.so` that nobody has
     * loaded: usually none. Read during `wharf_host_new` only.
     */
    const char *driver_path;
    /**
     * Whether binaries that drivers allocate are not noted, so that `wharf_host_free` cannot name those
     * that nobody has freed. Usually they are, which makes each `driver_alloc_binary` a little slower.
     */
    bool binaries_unnoted;
    /**
     * For later versions: zeros.
     */
    size_t reserved[8];
} wharf_host_settings;

/**
 * What was left behind, by kinds. See `wharf_host_left`.
 */
typedef struct {
    /**
     * How much of everything, the bytes aside.
     */
    size_t all;
    /**
     * Ports that are open, or still closing.
     */
    size_t ports;
    /**
     * Descriptors that ports of drivers have selected.
     */
    size_t descriptors;
    /**
     * Timers that ports of drivers have set, and messages that are to be sent later.
     */
    size_t timers;
    /**
     * Monitors that have not told anything yet.
     */
    size_t monitors;
    /**
     * Jobs of `driver_async` that wait or run.
     */
    size_t jobs;
    /**
     * Threads that drivers have made and nobody has joined.
     */
    size_t threads;
    /**
     * Binaries that drivers have allocated and nobody has freed.
     */
    size_t binaries;
    /**
     * How many bytes those have.
     */
    size_t binary_bytes;
    /**
     * For later versions: zeros.
     */
    size_t reserved[7];
} wharf_leftovers;

/**
 * The identity of a port. Compare by `id`; 0 is no port. A port ends by itself sooner or later, and
 * what is asked of it then is answered by `WHARF_STATUS_CLOSED`: an identity is never given out
 * again.
 */
typedef struct {
    /**
     * A number that no other port of this program has or will have.
     */
    uint64_t id;
} wharf_port;

/**
 * The identity of a process. Compare by `id`; 0 is no process.
 */
typedef struct {
    /**
     * A number that no other process of this program has or will have.
     */
    uint64_t id;
} wharf_pid;

/**
 * The identity of a monitor. Compare by `id`; 0 is none.
 */
typedef struct {
    /**
     * A number that is never given out again.
     */
    uint64_t id;
} wharf_reference;

/**
 * A message, written by `wharf_receive` and freed by `wharf_message_free`. `kind` says which fields
 * mean something; the others are zero. `bytes` and `term` belong to the message and are good until it
 * is freed; bytes are not copied, and a message may be kept for as long as its bytes are wanted.
 */
typedef struct {
    /**
     * What it is.
     */
    wharf_message_kind kind;
    /**
     * Of a line: whether its end was seen.
     */
    bool complete;
    /**
     * The port that it came from, or that has ended.
     */
    wharf_port port;
    /**
     * The process that has ended.
     */
    wharf_pid pid;
    /**
     * The monitor.
     */
    wharf_reference reference;
    /**
     * The program's exit status.
     */
    int64_t status;
    /**
     * The data; not terminated by a NUL.
     */
    const uint8_t *bytes;
    /**
     * How many bytes of data.
     */
    size_t len;
    /**
     * The reason of an end, or the whole of another message.
     */
    const wharf_term *term;
    /**
     * The library's own.
     */
    wharf_message_body *body;
} wharf_message;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of the library that the program runs with, as `WHARF_VERSION_NUMBER` counts. A
 * program that may meet another library than it was compiled for compares the two.
 *
 * Any thread may call this.
 */
int32_t wharf_version_number(void);

/**
 * The number of the agreement that the library keeps: a program compiled with another
 * `WHARF_ABI_VERSION` must not call anything else.
 *
 * ```c
 * if (wharf_abi_version() != WHARF_ABI_VERSION)
 *     return 1;
 * ```
 *
 * The dynamic loader sees to that by itself for programs that are linked to the library, since each such
 * number has a file name of its own; this is for programs that open the library themselves. This function
 * and the two beside it are there, and unchanged, in all versions.
 *
 * Any thread may call this.
 */
int32_t wharf_abi_version(void);

/**
 * The version of the library that the program runs with, for people: "0.1.0". Never NULL, never
 * freed.
 *
 * Any thread may call this.
 */
const char *wharf_version_text(void);

/**
 * The words for a status, for example `the port is closed`. Never NULL.
 *
 * The text is part of the library and is never freed. Any thread may call this, with any
 * number.
 */
const char *wharf_status_text(wharf_status status);

/**
 * What went wrong last on this thread: the function, the port and the operation, and what to do
 * about it. An empty text when nothing has. Never NULL.
 *
 * The text belongs to the library, and is good until the next call on this thread that fails.
 * A call that succeeds leaves it as it is.
 */
const char *wharf_error_text(void);

/**
 * Erlang's reason for what went wrong last on this thread, as Erlang text, for example `enoent`
 * or `badarg`. An empty text where Erlang has none. Never NULL.
 *
 * The text belongs to the library, and is good until the next call on this thread that fails.
 */
const char *wharf_error_reason(void);

/**
 * Frees a text that a function of this library has made for the caller. NULL is fine.
 *
 * Any thread may call this, once for each text. What `wharf_error_text` and the like lend is not
 * freed.
 */
void wharf_text_free(char *text);

/**
 * Has a callback called with what the library has to say: faults of drivers above all, which break no
 * function's result. `level_max` is the least important level that is wanted; NULL for `callback` ends it.
 * Without a callback nothing is said, and nothing is spent on it.
 *
 * ```c
 * static void say(void *user, wharf_log_level level, const char *text)
 * {
 *     (void)level;
 *     fprintf(user, "wharf: %s\n", text);
 * }
 *
 * wharf_log_set(WHARF_LOG_WARNING, say, stderr);
 * ```
 *
 * There is one callback for the whole program, whatever its hosts. It is called on whichever thread finds
 * something to say, at any time and by several at once, a driver's thread or one of the library's among
 * them, in the middle of what is being done: it should be quick, and not wait for the library. No lock is
 * held. What the library has to say about calls that the callback makes is dropped. When
 * `wharf_log_set` returns, another thread may still be in the callback that was set before.
 *
 * `user` is handed to the callback and stays the caller's.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_RANGE`: there is no such level.
 * - `WHARF_STATUS_REFUSED`: a part of the program that is written in Rust takes the log already.
 *
 * Any thread may call this.
 */
wharf_status wharf_log_set(wharf_log_level level_max,
                           wharf_log_callback callback,
                           void *user);

/**
 * Makes a host, with a copy of the environment that the program has now. `settings` may be NULL;
 * it is read during the call only.
 *
 * The host belongs to the caller, who ends it with `wharf_host_free`. NULL is a failure, about
 * which `wharf_error_text` says more: the kernel gives no descriptors for watching others, or
 * `reserved` is not zero. No signal handler is installed and no thread is started before there is
 * something for it to do.
 *
 * Any thread may call this.
 */
wharf_host *wharf_host_new(const wharf_host_settings *settings);

/**
 * What a host would leave behind if it ended now: ports, what their drivers have selected, set and
 * started, monitors, delayed messages, and binaries that drivers have allocated and nobody has freed, with
 * their size and whose callback allocated them. The numbers are written to `*left`, which may be NULL, and
 * `wharf_error_text` has a line for each. Drivers may yet free some, when their ports end or they are
 * unloaded; `wharf_host_end` tells what was left after that.
 *
 * - `WHARF_STATUS_OK`: nothing.
 * - `WHARF_STATUS_LEFT`: something; `*left` is written, too.
 * - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this, but no driver from its own callback.
 */
wharf_status wharf_host_left(const wharf_host *host,
                             wharf_leftovers *left);

/**
 * Ends a host: its processes end, its ports are closed without waiting for output that nobody
 * reads, its drivers are unloaded. `host` and every `wharf_process` of it are freed by this.
 *
 * - `WHARF_STATUS_OK`: nothing of it was left.
 * - `WHARF_STATUS_LEFT`: it has ended all the same, and something was left behind that somebody should
 *   have put away; `wharf_error_text` has a line for each. Ports, descriptors, timers, monitors and jobs
 *   count when they were there at the beginning, binaries and threads of drivers when they are there at
 *   the end. For a test this is a mistake; a program may ignore it.
 * - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`: nothing was done.
 *
 * Any thread may call this, but no driver from its own callback. Threads that wait in a function of the
 * host's processes come back with `WHARF_STATUS_EXITED`; a driver whose callback one of them is in is
 * unloaded when that has returned.
 */
wharf_status wharf_host_free(wharf_host *host);

/**
 * Ends and frees a host as `wharf_host_free` does, and writes the numbers of what was left behind to
 * `*left`, which may be NULL.
 *
 * - `WHARF_STATUS_OK`, `WHARF_STATUS_LEFT`: as of `wharf_host_free`; `*left` is written.
 * - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`: nothing was done.
 *
 * Any thread may call this, but no driver from its own callback.
 */
wharf_status wharf_host_end(wharf_host *host,
                            wharf_leftovers *left);

/**
 * How many ports the host has, those included that are still closing. `(size_t)-1` is a failure:
 * NULL, or freed.
 *
 * Any thread may call this.
 */
size_t wharf_host_ports_count(const wharf_host *host);

/**
 * Closes all ports of the host as the end of an Erlang node does: output that was taken is written
 * before a port ends. Waits up to `timeout_ms` for that.
 *
 * - `WHARF_STATUS_OK`: no port is left.
 * - `WHARF_STATUS_TIMEOUT`: some have not taken their output yet; ask again to wait on.
 * - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`.
 *
 * Any thread may call this, but no driver from its own callback.
 */
wharf_status wharf_host_close_ports(const wharf_host *host, int64_t timeout_ms);

/**
 * Lists the ports of a host, those that are closing included: up to `max` of them are written to
 * `ports`. The answer is how many there are, which may be more than `max`; `(size_t)-1` is a failure: the
 * host is NULL or was freed, or `ports` is NULL and `max` is not 0.
 *
 * Any thread may call this; ports come and go meanwhile.
 */
size_t wharf_host_ports(const wharf_host *host,
                        wharf_port *ports,
                        size_t max);

/**
 * Lists the processes of a host: up to `max` of them are written to `pids`. The answer is how many there
 * are, which may be more than `max`; `(size_t)-1` is a failure: the host is NULL or was freed, or `pids`
 * is NULL and `max` is not 0. Among them is one of the host's own once `wharf_driver_load` was used.
 *
 * Any thread may call this; processes come and go meanwhile.
 */
size_t wharf_host_processes(const wharf_host *host,
                            wharf_pid *pids,
                            size_t max);

/**
 * Whether there is such a process in this host, and it has not ended. False for NULL and for a host that
 * was freed.
 *
 * Any thread may call this.
 */
bool wharf_host_is_alive(const wharf_host *host,
                         wharf_pid pid);

/**
 * How many ports may be open in the host at once. `(size_t)-1` is a failure: NULL, or freed.
 *
 * Any thread may call this.
 */
size_t wharf_host_ports_max(const wharf_host *host);

/**
 * One fact about a process of the host, as Erlang's `process_info(Pid, Item)`: `status`, `links`,
 * `monitors`, `monitored_by`, `message_queue_len`, `registered_name`, `trap_exit`. Only the fact is given,
 * without the item's name. With NULL for `item` all usual ones are given, as a list of pairs.
 *
 * The term belongs to the caller, who frees it with `wharf_term_free`. `*fact` is written on success
 * only.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_NOTFOUND`: there is no such item, or the process has none.
 * - `WHARF_STATUS_EXITED`: there is no such process, or it has ended.
 * - `WHARF_STATUS_SYNTAX`: the item's name is not UTF-8.
 * - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this.
 */
wharf_status wharf_host_process_info(const wharf_host *host,
                                     wharf_pid pid,
                                     const char *item,
                                     wharf_term **fact);

/**
 * The value of a variable in a host's environment, which began as a copy of the program's and is its own
 * from then on.
 *
 * The text belongs to the caller, who frees it with `wharf_text_free`. `*value` is written on success
 * only.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_NOTFOUND`: it is not set.
 * - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this.
 */
wharf_status wharf_host_env(const wharf_host *host,
                            const char *name,
                            char **value);

/**
 * Sets a variable in a host's environment, for programs that are started from now on and for its drivers;
 * with NULL for `value` it is removed. The program's own environment is not changed.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_BADARG`: the name has a `=` in it.
 * - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this.
 */
wharf_status wharf_host_put_env(const wharf_host *host,
                                const char *name,
                                const char *value);

/**
 * All variables of a host's environment, as a list of pairs `{Name, Value}` of binaries.
 *
 * The list belongs to the caller, who frees it with `wharf_term_free`. `*variables` is written on success
 * only.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this.
 */
wharf_status wharf_host_env_all(const wharf_host *host,
                                wharf_term **variables);

/**
 * Makes a process in a host. NULL is a failure: the host is NULL or was freed; `wharf_error_text`
 * says which.
 *
 * The process belongs to the caller, who ends it with `wharf_process_free`; `wharf_host_free` ends
 * it as well. Any thread may call this.
 */
wharf_process *wharf_process_new(const wharf_host *host);

/**
 * Ends a process, normally, and frees it: its ports are closed, its messages are dropped.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`: nothing was done.
 *
 * Any thread may call this. Threads that wait in a function of the process come back with
 * `WHARF_STATUS_EXITED`.
 */
wharf_status wharf_process_free(wharf_process *process);

/**
 * The identity of a process; 0 inside for NULL and for one that was freed.
 *
 * Any thread may call this.
 */
wharf_pid wharf_process_pid(const wharf_process *process);

/**
 * The host of a process, which belongs to whoever has made it. NULL is a failure: the process is
 * NULL or was freed.
 *
 * Any thread may call this.
 */
wharf_host *wharf_process_host(const wharf_process *process);

/**
 * Whether exit signals become messages from now on (`{'EXIT', From, Reason}`) instead of ending
 * the process. Off at first.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this.
 */
wharf_status wharf_process_trap_exit(const wharf_process *process, bool trap);

/**
 * How many messages wait. `(size_t)-1` is a failure: NULL, or freed.
 *
 * Any thread may call this.
 */
size_t wharf_process_messages_count(const wharf_process *process);

/**
 * A descriptor for the program's own event loop: `poll` says that it is readable when a message waits for
 * the process, also one that a selective receive has left, and once the process has ended. Then receive
 * with a timeout of 0 until there is none; now and then there is none to begin with. -1 is a failure: the
 * process is NULL or was freed, or there can be no more descriptors.
 *
 * The descriptor belongs to the process: do not read, write or close it. It is closed when the process is
 * freed, by `wharf_process_free` or `wharf_host_free`, so take it out of the loop before. Each call gives
 * the same one. By edge (`EPOLLET`) it tells that a first message has come, and is quiet until all were
 * received.
 *
 * A process whose descriptor nobody asked for pays nothing for it. While the program waits in its loop, a
 * thread of the library waits for programs, drivers and timers.
 *
 * Any thread may call this.
 */
int32_t wharf_process_fd(const wharf_process *process);

/**
 * Whether a process has ended, and why: the reason is written to `*reason`, which may be NULL where it is
 * not wanted.
 *
 * The reason belongs to the caller, who frees it with `wharf_term_free`. `*reason` is written when the
 * answer is `WHARF_STATUS_EXITED` only.
 *
 * - `WHARF_STATUS_OK`: it lives.
 * - `WHARF_STATUS_EXITED`: it has ended.
 * - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this.
 */
wharf_status wharf_process_exited(const wharf_process *process,
                                  wharf_term **reason);

/**
 * Ends a process for a reason, which is Erlang text, for example `normal` or `{shutdown, 3}`: its ports
 * are closed, and links and monitors are told the reason. It is still to be freed. One that has ended
 * already stays as it is.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_SYNTAX`: the reason is not a term.
 * - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this.
 */
wharf_status wharf_process_end(const wharf_process *process,
                               const char *reason);

/**
 * Loads the driver `name` from the file `folder/name.so`, for as long as the host lives. Ports of
 * it are opened with `{spawn_driver, "name"}`.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_REFUSED`: the file is missing or no driver, needs a symbol nobody has, is of a
 *   version that does not fit, or refuses; the error's text says which.
 * - `WHARF_STATUS_SYNTAX`: the name is not UTF-8.
 * - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this. The driver's `init` runs on it.
 */
wharf_status wharf_driver_load(const wharf_host *host, const char *folder, const char *name);

/**
 * Takes one `wharf_driver_load` of the host back. The driver is unloaded when nobody uses it any more: no
 * port of it is open, and no process has loaded it by `wharf_driver_call`. That may be after this has
 * returned; `wharf_driver_call` with `monitor` hears of it.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_REFUSED`: it is not loaded, or not by `wharf_driver_load`, or it is permanent.
 * - `WHARF_STATUS_SYNTAX`: the name is not UTF-8.
 * - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this. The driver's `finish` may run on it.
 */
wharf_status wharf_driver_unload(const wharf_host *host,
                                 const char *name);

/**
 * Calls a function of Erlang's module `erl_ddll` in the name of a process: `load`, `try_load`, `reload`,
 * `unload`, `try_unload`, `monitor`, `demonitor`, `info`, `loaded_drivers`, `format_error` and so on.
 * `arguments` is a list of its arguments, which stays the caller's. What the function answers, also
 * `{error, Reason}`, is written to `*answer`, which may be NULL where it is not wanted.
 *
 * ```c
 * wharf_term_parse("[\"build\", \"counter_drv\"]", &arguments);
 * wharf_driver_call(me, "load", arguments, &answer);
 * ```
 *
 * The answer belongs to the caller, who frees it with `wharf_term_free`; it is written on success only.
 *
 * - `WHARF_STATUS_OK`: it has answered.
 * - `WHARF_STATUS_BADARG`: the arguments are wrong, or are no list.
 * - `WHARF_STATUS_NOTFOUND`: there is no such function of so many arguments.
 * - `WHARF_STATUS_SYNTAX`: the function's name is not UTF-8.
 * - `WHARF_STATUS_REFUSED`: the process ended while it waited.
 * - `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this. The driver's `init` and `finish` may run on it.
 */
wharf_status wharf_driver_call(const wharf_process *process,
                               const char *function,
                               const wharf_term *arguments,
                               wharf_term **answer);

/**
 * The names of the drivers that are loaded in a host, as a list of charlists.
 *
 * The list belongs to the caller, who frees it with `wharf_term_free`. `*names` is written on success
 * only.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this; drivers come and go meanwhile.
 */
wharf_status wharf_driver_names(const wharf_host *host,
                                wharf_term **names);

/**
 * What is known of a driver that is loaded, as Erlang's `erl_ddll:info(Name)`: a list of pairs, among them
 * `{processes, _}` and `{port_count, _}`.
 *
 * The list belongs to the caller, who frees it with `wharf_term_free`. `*facts` is written on success
 * only.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_NOTFOUND`: no driver of this name is loaded.
 * - `WHARF_STATUS_SYNTAX`: the name is not UTF-8.
 * - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this.
 */
wharf_status wharf_driver_info(const wharf_host *host,
                               const char *name,
                               wharf_term **facts);

/**
 * What the driver in a file says about itself, as a map: `name` (a binary), `version` (a pair), `flags` and
 * `callbacks` (lists of atoms). It is loaded for that and unloaded again, so its `init` and `finish` run.
 *
 * The map belongs to the caller, who frees it with `wharf_term_free`. `*facts` is written on success
 * only.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_REFUSED`: it cannot be loaded; the error's text says why, and names missing symbols.
 * - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this.
 */
wharf_status wharf_driver_inspect(const wharf_host *host,
                                  const char *file,
                                  wharf_term **facts);

/**
 * The names of the sample drivers that are part of the library, which `wharf_open_driver` finds without a
 * file, as a list of atoms; the empty list where it was built without them.
 *
 * The list belongs to the caller, who frees it with `wharf_term_free`. Never NULL.
 *
 * Any thread may call this.
 */
wharf_term *wharf_driver_samples(void);

/**
 * The names of all functions that a driver may call on its host, as a list of atoms.
 *
 * The list belongs to the caller, who frees it with `wharf_term_free`. Never NULL.
 *
 * Any thread may call this.
 */
wharf_term *wharf_driver_symbols(void);

/**
 * Opens a port, as Erlang's `open_port(Name, Options)`, with both arguments as Erlang text:
 *
 * ```c
 * wharf_open(me, "{spawn, \"cat\"}", "[binary]", &port);
 * wharf_open(me, "{spawn_executable, \"/bin/sh\"}", "[{args, [\"-c\", \"exit 3\"]}, exit_status]", &port);
 * wharf_open(me, "{spawn_driver, \"counter_drv\"}", "[]", &port);
 * wharf_open(me, "{fd, 0, 1}", "[binary, eof]", &port);
 * ```
 *
 * `options` may be NULL, which is `[]`. The process owns the port and is linked to it. `*port` is
 * written on success only.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_SYNTAX`: a text is not a term; the error's text says where.
 * - `WHARF_STATUS_BADARG`: no such kind of name, no such driver, or options that do not fit.
 * - `WHARF_STATUS_REFUSED`: the system or the driver said no; `wharf_error_reason` is `enoent`,
 *   `eacces`, `emfile` and so on. A program that cannot be started after all is told by its exit status.
 * - `WHARF_STATUS_LIMIT`: the host has as many ports as it may have.
 * - `WHARF_STATUS_EXITED`: the process has ended.
 * - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this.
 */
wharf_status wharf_open(const wharf_process *process,
                        const char *name,
                        const char *options,
                        wharf_port *port);

/**
 * Opens a port as `wharf_open` does, with both arguments as terms, which stay the caller's. `options` may
 * be NULL, which is `[]`. Ownership and statuses as of `wharf_open`.
 *
 * Any thread may call this.
 */
wharf_status wharf_open_term(const wharf_process *process,
                             const wharf_term *name,
                             const wharf_term *options,
                             wharf_port *port);

/**
 * Hands `len` bytes to a port, and waits while the port is busy. They are read, or copied, before this
 * returns. Success means that they were taken; what fails later is told by the port's end.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_CLOSED`: the port is closed, or was while this waited.
 * - `WHARF_STATUS_BADARG`: asked by a callback of the port's own driver, which cannot wait for itself.
 * - `WHARF_STATUS_EXITED`: the process has ended.
 * - `WHARF_STATUS_NULL`: `data` is NULL and `len` is not 0.
 * - `WHARF_STATUS_FREED`
 *
 * Any thread may call this; the bytes of each call stay together.
 */
wharf_status wharf_port_command(const wharf_process *process,
                                wharf_port port,
                                const void *data,
                                size_t len);

/**
 * Closes a port. Output that was taken still goes out, and nothing is told to the owner, except that a
 * process that traps exits gets `{'EXIT', Port, normal}`.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_CLOSED`: it is closed already.
 * - `WHARF_STATUS_BADARG`: asked by a callback of the port's own driver, which cannot wait for itself.
 * - `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this.
 */
wharf_status wharf_port_close(const wharf_process *process,
                              wharf_port port);

/**
 * Makes options, which belong to the caller, who frees them with `wharf_options_free`. Never NULL.
 *
 * Any thread may call this.
 */
wharf_options *wharf_options_new(void);

/**
 * Frees options. NULL is fine. Ports that were opened with them are not affected.
 *
 * Any thread may call this, once for each `wharf_options_new`.
 */
void wharf_options_free(wharf_options *options);

/**
 * Sets one of the options that are there or not.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_RANGE`: there is no flag of this number.
 * - `WHARF_STATUS_NULL`
 *
 * Any thread may call this, one at a time with the same options.
 */
wharf_status wharf_options_flag(wharf_options *options, wharf_flag flag);

/**
 * `{packet, N}`: data is cut into packets, each with its length in `header_bytes` bytes in front: 1, 2 or
 * 4. 0 takes it back.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_RANGE`: another number.
 * - `WHARF_STATUS_NULL`
 *
 * Any thread may call this, one at a time with the same options.
 */
wharf_status wharf_options_packet(wharf_options *options,
                                  uint32_t header_bytes);

/**
 * `{line, N}`: data comes in lines, in pieces of at most `bytes_max` bytes. 0 is the usual limit, 512.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_NULL`
 *
 * Any thread may call this, one at a time with the same options.
 */
wharf_status wharf_options_line(wharf_options *options,
                                size_t bytes_max);

/**
 * One more argument for the program of `wharf_open_executable`.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_NULL`
 *
 * Any thread may call this, one at a time with the same options.
 */
wharf_status wharf_options_arg(wharf_options *options, const char *argument);

/**
 * What the program of `wharf_open_executable` is told to be called, instead of its file name.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_NULL`
 *
 * Any thread may call this, one at a time with the same options.
 */
wharf_status wharf_options_arg0(wharf_options *options, const char *name);

/**
 * The program starts in this folder.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_NULL`
 *
 * Any thread may call this, one at a time with the same options.
 */
wharf_status wharf_options_cd(wharf_options *options, const char *folder);

/**
 * The program's environment has this variable; with NULL for `value`, it has no such variable.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_NULL`: `options` or `name` is NULL.
 *
 * Any thread may call this, one at a time with the same options.
 */
wharf_status wharf_options_env(wharf_options *options, const char *name, const char *value);

/**
 * How many bytes of output may be queued before those who send wait, and down to how many they wait:
 * `{busy_limits_port, {Low, High}}`. With 0 for both there is no limit.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_RANGE`: one of them is 0, or one is 2^64 - 1. A `low` above `high` counts as `high`.
 * - `WHARF_STATUS_NULL`
 *
 * Any thread may call this, one at a time with the same options.
 */
wharf_status wharf_options_busy_limits(wharf_options *options,
                                       uint64_t low,
                                       uint64_t high);

/**
 * How many bytes of requests may wait for a port that is at work before those who send wait, and down to
 * how many they wait: `{busy_limits_msgq, {Low, High}}`. With 0 for both there is no limit.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_RANGE`: as of `wharf_options_busy_limits`.
 * - `WHARF_STATUS_NULL`
 *
 * Any thread may call this, one at a time with the same options.
 */
wharf_status wharf_options_busy_limits_msgq(wharf_options *options,
                                            uint64_t low,
                                            uint64_t high);

/**
 * Opens a port to a command line, which a shell runs: Erlang's `{spawn, Command}`. A driver of that name
 * comes first. `options` may be NULL. Ownership and statuses as of `wharf_open`.
 *
 * Any thread may call this.
 */
wharf_status wharf_open_spawn(const wharf_process *process,
                              const char *command,
                              const wharf_options *options,
                              wharf_port *port);

/**
 * Opens a port to a program with exactly the arguments that `options` has: Erlang's
 * `{spawn_executable, File}`. `options` may be NULL. Ownership and statuses as of `wharf_open`.
 *
 * Any thread may call this.
 */
wharf_status wharf_open_executable(const wharf_process *process,
                                   const char *file,
                                   const wharf_options *options,
                                   wharf_port *port);

/**
 * Opens a port of a driver: Erlang's `{spawn_driver, Command}`. The driver is named by the first word of
 * the command, and its `start` is given all of it. `options` may be NULL. Ownership and statuses as of
 * `wharf_open`.
 *
 * Any thread may call this. The driver's `start` runs on it when nobody else is in the driver.
 */
wharf_status wharf_open_driver(const wharf_process *process,
                               const char *command,
                               const wharf_options *options,
                               wharf_port *port);

/**
 * Opens a port on descriptors that the program has: Erlang's `{fd, In, Out}`. They stay the program's,
 * who closes them when the port has ended. `options` may be NULL. Ownership and statuses as of
 * `wharf_open`.
 *
 * Any thread may call this.
 */
wharf_status wharf_open_fd(const wharf_process *process,
                           int32_t input,
                           int32_t output,
                           const wharf_options *options,
                           wharf_port *port);

/**
 * Hands bytes to a port as `wharf_port_command` does, but does not wait.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_BUSY`: the port is busy, and nothing was sent.
 * - Others as of `wharf_port_command`.
 *
 * Any thread may call this.
 */
wharf_status wharf_port_try_command(const wharf_process *process,
                                    wharf_port port,
                                    const void *data,
                                    size_t len);

/**
 * Hands bytes to a port as `wharf_port_command` does, whether it is busy or not: Erlang's flag `force`.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_NOTSUP`: only drivers with the flag `ERL_DRV_FLAG_SOFT_BUSY` allow it.
 * - Others as of `wharf_port_command`.
 *
 * Any thread may call this.
 */
wharf_status wharf_port_force_command(const wharf_process *process,
                                      wharf_port port,
                                      const void *data,
                                      size_t len);

/**
 * Hands iodata to a port as `wharf_port_command` does bytes: a binary, or nested lists of bytes and
 * binaries. Large binaries are not copied, and reach a driver's `outputv` as they are. The term stays the
 * caller's.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_TYPE`: it is no iodata.
 * - Others as of `wharf_port_command`.
 *
 * Any thread may call this.
 */
wharf_status wharf_port_command_term(const wharf_process *process,
                                     wharf_port port,
                                     const wharf_term *data);

/**
 * Asks a driver to do operation number `operation` with `len` bytes, as Erlang's `port_control`. The
 * answer, a binary or a list of bytes as the driver chooses, is written to `*answer` on success, and
 * belongs to the caller, who frees it with `wharf_term_free`; `answer` may be NULL where it is not
 * wanted.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_BADARG`: the port does not know this operation.
 * - `WHARF_STATUS_CLOSED`, `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this. The driver's `control` runs on it when nobody else is in the driver.
 */
wharf_status wharf_port_control(const wharf_process *process,
                                wharf_port port,
                                uint32_t operation,
                                const void *data,
                                size_t len,
                                wharf_term **answer);

/**
 * Asks a driver as `wharf_port_control` does, and copies the bytes of its answer, which may be a binary or
 * a list, to `buffer`, which has room for `size`. The length of the whole answer is written to
 * `*answer_len`. Where that is more than `size`, only the first `size` bytes were copied, and the driver
 * has done the operation all the same. `buffer` may be NULL where `size` is 0. Both are written on success
 * only.
 *
 * ```c
 * char total[32];
 * size_t len;
 * wharf_port_control_bytes(me, port, 'g', NULL, 0, total, sizeof total, &len);
 * ```
 *
 * - `WHARF_STATUS_NULL`: also when there is no place for the answer; nothing was asked.
 * - Others as of `wharf_port_control`.
 *
 * Any thread may call this. The driver's `control` runs on it when nobody else is in the driver.
 */
wharf_status wharf_port_control_bytes(const wharf_process *process,
                                      wharf_port port,
                                      uint32_t operation,
                                      const void *data,
                                      size_t len,
                                      void *buffer,
                                      size_t size,
                                      size_t *answer_len);

/**
 * Hands a term to a driver and gets one back, as Erlang's `erlang:port_call`. `data` stays the caller's.
 * The answer is written to `*answer` on success, and belongs to the caller, who frees it with
 * `wharf_term_free`; `answer` may be NULL where it is not wanted.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_BADARG`: the port does not know this operation.
 * - `WHARF_STATUS_CLOSED`, `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this. The driver's `call` runs on it when nobody else is in the driver.
 */
wharf_status wharf_port_call(const wharf_process *process,
                             wharf_port port,
                             uint32_t operation,
                             const wharf_term *data,
                             wharf_term **answer);

/**
 * Makes another process the owner of a port, and links it. The former owner stays linked.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_BADARG`: there is no such process in this host, or it has ended.
 * - `WHARF_STATUS_CLOSED`, `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this.
 */
wharf_status wharf_port_connect(const wharf_process *process, wharf_port port, wharf_pid to);

/**
 * One fact about a port, as Erlang's `erlang:port_info(Port, Item)`: `name`, `connected`, `links`,
 * `input`, `output`, `os_pid`, `queue_size`, `registered_name` and so on. Only the fact is given, without
 * the item's name.
 *
 * The term belongs to the caller, who frees it with `wharf_term_free`. `*fact` is written on success
 * only.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_NOTFOUND`: there is no such item, or the port has none.
 * - `WHARF_STATUS_SYNTAX`: the item's name is not UTF-8.
 * - `WHARF_STATUS_CLOSED`, `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this.
 */
wharf_status wharf_port_info(const wharf_process *process,
                             wharf_port port,
                             const char *item,
                             wharf_term **fact);

/**
 * The usual facts about a port, as Erlang's `erlang:port_info(Port)`: a list of pairs `{Item, Fact}`.
 *
 * The term belongs to the caller, who frees it with `wharf_term_free`. `*facts` is written on success
 * only.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_CLOSED`, `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this.
 */
wharf_status wharf_port_facts(const wharf_process *process,
                              wharf_port port,
                              wharf_term **facts);

/**
 * Whether a port can be used. False also when one of the two is nothing.
 *
 * Any thread may call this; the port may close right afterwards.
 */
bool wharf_port_is_open(const wharf_process *process, wharf_port port);

/**
 * The process id that the system knows the port's program by; a driver may have set one for its port. -1 is
 * a failure: there is none, or the port is closed.
 *
 * Any thread may call this.
 */
int64_t wharf_port_os_pid(const wharf_process *process,
                          wharf_port port);

/**
 * Keeps a term with a port, as Erlang's `erlang:port_set_data`, in place of the one before. The term stays
 * the caller's.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_CLOSED`, `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this.
 */
wharf_status wharf_port_set_data(const wharf_process *process,
                                 wharf_port port,
                                 const wharf_term *data);

/**
 * The term that is kept with a port, at first the atom `undefined`.
 *
 * The term belongs to the caller, who frees it with `wharf_term_free`. `*data` is written on success
 * only.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_CLOSED`, `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this.
 */
wharf_status wharf_port_get_data(const wharf_process *process,
                                 wharf_port port,
                                 wharf_term **data);

/**
 * Takes the next message of a process, as Erlang text, for example
 * `{#Port<0.5>,{data,<<"hello">>}}`. Waits up to `timeout_ms` for one; 0 only looks, a negative
 * number waits for ever.
 *
 * The text belongs to the caller, who frees it with `wharf_text_free`. `*message` is written on
 * success only.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_TIMEOUT`: no message came.
 * - `WHARF_STATUS_EXITED`: the process has ended, or did so meanwhile.
 * - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this; one at a time receives.
 */
wharf_status wharf_receive_text(const wharf_process *process, int64_t timeout_ms, char **message);

/**
 * Takes the next message of a process as a term, whatever it is. Waits up to `timeout_ms` for one; 0 only
 * looks, a negative number waits for ever.
 *
 * The term belongs to the caller, who frees it with `wharf_term_free`. `*message` is written on
 * success only.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_TIMEOUT`: no message came.
 * - `WHARF_STATUS_EXITED`: the process has ended, or did so meanwhile.
 * - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this; one at a time receives.
 */
wharf_status wharf_receive_term(const wharf_process *process,
                                int64_t timeout_ms,
                                wharf_term **message);

/**
 * For tests: takes the first message that matches a pattern, waiting up to `timeout_ms` for one.
 * Other messages stay where they are, in order.
 *
 * A pattern is Erlang text. In it `_` matches everything, and a variable (`Port`, `Data`) matches
 * anything, but the same wherever it stands again:
 *
 * ```c
 * wharf_expect(me, 1000, "{Port, {data, <<\"5\">>}}");
 * wharf_expect(me, 1000, "{'EXIT', _, normal}");
 * ```
 *
 * A map matches when it has the pattern's keys with matching values. When nothing matches, the
 * pattern, the messages that came instead and the state of the process's ports are written to
 * the standard error, and are the text of `wharf_error_text`.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_TIMEOUT`: no message is there at all.
 * - `WHARF_STATUS_MISMATCH`: messages are there, and none of them matches.
 * - `WHARF_STATUS_SYNTAX`: the text is no pattern; the error's text says where.
 * - `WHARF_STATUS_EXITED`: the process has ended, or did so meanwhile.
 * - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this; one at a time receives.
 */
wharf_status wharf_expect(const wharf_process *process, int64_t timeout_ms, const char *pattern);

/**
 * Takes the next message of a process. Waits up to `timeout_ms` for one; 0 only looks, a negative
 * number waits for ever.
 *
 * The message belongs to the caller, who frees it with `wharf_message_free`. `*message` is written
 * on success only, whatever was there before.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_TIMEOUT`: no message came.
 * - `WHARF_STATUS_EXITED`: the process has ended, or did so meanwhile.
 * - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this; one at a time receives.
 */
wharf_status wharf_receive(const wharf_process *process,
                           int64_t timeout_ms,
                           wharf_message *message);

/**
 * Takes the next message that speaks of `port`, as `wharf_receive` does. Others stay where they are.
 *
 * Statuses as of `wharf_receive`; a port that is closed already is waited for like any other.
 *
 * Any thread may call this; one at a time receives.
 */
wharf_status wharf_receive_from(const wharf_process *process,
                                wharf_port port,
                                int64_t timeout_ms,
                                wharf_message *message);

/**
 * Takes the first message that matches a pattern, see `wharf_expect`, as a term. Others stay where
 * they are. Nothing is written to the standard error.
 *
 * The term belongs to the caller, who frees it with `wharf_term_free`. `*message` is written on
 * success only. Statuses as of `wharf_expect`.
 *
 * Any thread may call this; one at a time receives.
 */
wharf_status wharf_receive_match(const wharf_process *process,
                                 int64_t timeout_ms,
                                 const char *pattern,
                                 wharf_term **message);

/**
 * Frees what a message holds, and makes its kind `WHARF_MESSAGE_NONE`, so that freeing it again does
 * no harm. NULL is fine.
 *
 * Any thread may call this, when no other uses the message. A copy of the structure is not another
 * message: free one of them.
 */
void wharf_message_free(wharf_message *message);

/**
 * Sends a message to a process: a term as Erlang text, for example `{self, [1, 2]}`. A process that
 * has ended gets nothing, and that is no failure.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_SYNTAX`: the text is not a term; the error's text says where.
 * - `WHARF_STATUS_EXITED`: the sender has ended.
 * - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * `wharf_send` sends terms, and to whomever. Any thread may call this.
 */
wharf_status wharf_process_send(const wharf_process *process, wharf_pid to, const char *message);

/**
 * Sends a message as Erlang's `To ! Message`. `to` is a term: the identity of a process or port, or a
 * name. To a port the message is a request, `{Owner, {command, Data}}`, `{Owner, close}` or
 * `{Owner, {connect, Pid}}`, with the owner's identity in it; where the port is busy, this waits. Both
 * terms stay the caller's. Who has ended gets nothing, and that is no failure.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_BADARG`: `to` is none of these, or nobody has the name; or a callback of the port's own
 *   driver asked, which cannot wait for itself.
 * - `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this.
 */
wharf_status wharf_send(const wharf_process *process,
                        const wharf_term *to,
                        const wharf_term *message);

/**
 * Sends a message as `wharf_send` does, but does not wait: Erlang's `send(To, Message, [nosuspend])`. Both
 * terms stay the caller's.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_BUSY`: it is for a port that is busy, and nothing was sent.
 * - `WHARF_STATUS_BADARG`, `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`: as of
 *   `wharf_send`.
 *
 * Any thread may call this.
 */
wharf_status wharf_try_send(const wharf_process *process,
                            const wharf_term *to,
                            const wharf_term *message);

/**
 * Sends a message in `delay_ms` milliseconds, as Erlang's `erlang:send_after`: to a process, a port or a
 * name, unless the process that it is for has ended by then. `*timer` is written on success only, and may
 * be NULL where it is not wanted. Both terms stay the caller's.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this.
 */
wharf_status wharf_send_after(const wharf_process *process,
                              uint64_t delay_ms,
                              const wharf_term *to,
                              const wharf_term *message,
                              wharf_reference *timer);

/**
 * Takes a delayed message back. How many milliseconds were left is written to `*left_ms`, which may be
 * NULL.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_NOTFOUND`: it was sent, or taken back, or there never was one.
 * - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this, for any process of the host.
 */
wharf_status wharf_timer_cancel(const wharf_process *process,
                                wharf_reference timer,
                                uint64_t *left_ms);

/**
 * How many milliseconds there are until a delayed message is sent.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_NOTFOUND`: it was sent, or taken back, or there never was one.
 * - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this, for any process of the host.
 */
wharf_status wharf_timer_left(const wharf_process *process,
                              wharf_reference timer,
                              uint64_t *left_ms);

/**
 * Has a message sent to a process when a port takes commands: at once if it does now, otherwise when it
 * is not busy any more, or has closed. Then `wharf_port_try_command` is tried again, which may find
 * the port busy once more. So an event loop need not wait in `wharf_port_command`. The message stays the
 * caller's.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_CLOSED`: the port is closed.
 * - `WHARF_STATUS_BADARG`: asked by a callback of the port's own driver, which cannot wait for itself.
 * - `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this.
 */
wharf_status wharf_port_notify(const wharf_process *process,
                               wharf_port port,
                               const wharf_term *message);

/**
 * Links a process to a port: when one ends, the other is told by an exit signal.
 *
 * - `WHARF_STATUS_OK`: also where the port has ended and the process traps exits; it then gets
 *   `{'EXIT', Port, noproc}`.
 * - `WHARF_STATUS_NOPROC`: the port has ended.
 * - `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this.
 */
wharf_status wharf_port_link(const wharf_process *process, wharf_port port);

/**
 * Links a process to another, as `wharf_port_link` does.
 *
 * Any thread may call this.
 */
wharf_status wharf_process_link(const wharf_process *process, wharf_pid other);

/**
 * Takes the link to a port away; no exit signal of it comes after this. No failure where there is none.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this.
 */
wharf_status wharf_port_unlink(const wharf_process *process,
                               wharf_port port);

/**
 * Takes the link to another process away, as `wharf_port_unlink` does.
 *
 * Any thread may call this.
 */
wharf_status wharf_process_unlink(const wharf_process *process, wharf_pid other);

/**
 * Has a process hear of a port's end by a message, once: `WHARF_MESSAGE_DOWN` with this reference. Of one
 * that has ended it hears at once. `*monitor` is written on success only.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this.
 */
wharf_status wharf_port_monitor(const wharf_process *process,
                                wharf_port port,
                                wharf_reference *monitor);

/**
 * Has a process hear of another's end, as `wharf_port_monitor` does.
 *
 * Any thread may call this.
 */
wharf_status wharf_process_monitor(const wharf_process *process,
                                   wharf_pid other,
                                   wharf_reference *monitor);

/**
 * Takes a monitor away, and its message if that has come already.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this.
 */
wharf_status wharf_process_demonitor(const wharf_process *process, wharf_reference monitor);

/**
 * Sends a port an exit signal, as Erlang's `exit(Port, Reason)`; the reason is Erlang text, for example
 * `kill`. A port that has ended gets nothing, and that is no failure.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_SYNTAX`: the reason is not a term.
 * - `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this.
 */
wharf_status wharf_port_exit(const wharf_process *process,
                             wharf_port port,
                             const char *reason);

/**
 * Sends a process an exit signal, as `wharf_port_exit` does. A process that sends one to itself
 * ends, unless it traps exits.
 *
 * Any thread may call this.
 */
wharf_status wharf_process_exit(const wharf_process *process, wharf_pid other, const char *reason);

/**
 * Gives a port a name in its host, until it ends or `wharf_name_unregister` takes it away.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_BADARG`: the name is taken, or is `undefined`, or longer than 255 characters; or the
 *   port has a name already, or has ended.
 * - `WHARF_STATUS_SYNTAX`: the name is not UTF-8.
 * - `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this.
 */
wharf_status wharf_port_register(const wharf_process *process,
                                 wharf_port port,
                                 const char *name);

/**
 * Gives a process a name in its host, as `wharf_port_register` does.
 *
 * Any thread may call this.
 */
wharf_status wharf_process_register(const wharf_process *process,
                                    wharf_pid other,
                                    const char *name);

/**
 * Takes a name away from whoever has it.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_BADARG`: nobody has the name, or it is longer than 255 characters.
 * - `WHARF_STATUS_SYNTAX`: the name is not UTF-8.
 * - `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this.
 */
wharf_status wharf_name_unregister(const wharf_process *process, const char *name);

/**
 * Who has a name: a port, written to `*port`, or a process, written to `*pid`; the other of the two gets
 * 0 inside. Either may be NULL where it is not wanted.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_NOTFOUND`: nobody has it.
 * - `WHARF_STATUS_BADARG`: it is longer than 255 characters.
 * - `WHARF_STATUS_SYNTAX`: the name is not UTF-8.
 * - `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this.
 */
wharf_status wharf_name_whereis(const wharf_process *process,
                                const char *name,
                                wharf_port *port,
                                wharf_pid *pid);

/**
 * Has a process hear of the end of the port that has a name now, as `wharf_port_monitor` does. Of a name
 * that no port has it hears at once. The object of the message is `{Name, Node}`.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_BADARG`: the name is longer than 255 characters.
 * - `WHARF_STATUS_SYNTAX`: the name is not UTF-8.
 * - `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this.
 */
wharf_status wharf_name_monitor_port(const wharf_process *process,
                                     const char *name,
                                     wharf_reference *monitor);

/**
 * Has a process hear of the end of the process that has a name now, as `wharf_name_monitor_port`
 * does of a port.
 *
 * Statuses as of `wharf_name_monitor_port`. Any thread may call this.
 */
wharf_status wharf_name_monitor_process(const wharf_process *process,
                                        const char *name,
                                        wharf_reference *monitor);

/**
 * All names of a host, as a list of atoms.
 *
 * The list belongs to the caller, who frees it with `wharf_term_free`. `*names` is written on success
 * only.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
 *
 * Any thread may call this; names come and go meanwhile.
 */
wharf_status wharf_host_names(const wharf_host *host,
                              wharf_term **names);

/**
 * Reads a term from Erlang text: `{ok, [1, 2.5, <<"bytes">>]}`. Comments and a final full stop are
 * allowed.
 *
 * The term belongs to the caller, who frees it with `wharf_term_free`. `*term` is written on success
 * only.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_SYNTAX`: it is not a term, or not UTF-8; the error's text says where.
 * - `WHARF_STATUS_NULL`
 *
 * Any thread may call this.
 */
wharf_status wharf_term_parse(const char *text,
                              wharf_term **term);

/**
 * Prints a term as Erlang text, on one line. The text belongs to the caller, who frees it with
 * `wharf_text_free`. NULL is a failure: the term is NULL.
 *
 * Any thread may call this.
 */
char *wharf_term_text(const wharf_term *term);

/**
 * Another term of the same value, which belongs to the caller, who frees it with `wharf_term_free`.
 * Nothing large is copied. With it, what is lent can be kept. NULL is a failure: the term is NULL.
 *
 * Any thread may call this.
 */
wharf_term *wharf_term_copy(const wharf_term *term);

/**
 * Frees a term. NULL is fine.
 *
 * Any thread may call this, once for each term. What is lent is not freed.
 */
void wharf_term_free(wharf_term *term);

/**
 * Whether two terms are the same, as Erlang's `=:=`: 1 and 1.0 are not. Two NULLs are the same.
 *
 * Any thread may call this.
 */
bool wharf_term_equals(const wharf_term *a, const wharf_term *b);

/**
 * Compares two terms in Erlang's order, in which numbers come before atoms, and 1 and 1.0 are equal:
 * negative when `a` comes first, positive when `b` does, 0 otherwise. NULL comes before all.
 *
 * Any thread may call this.
 */
int32_t wharf_term_compare(const wharf_term *a,
                           const wharf_term *b);

/**
 * Whether a term matches a pattern, see `wharf_expect`, and what the pattern's variables are then: a
 * map from their names, as atoms, to their values, written to `*variables`, from which
 * `wharf_term_map_get_atom` takes them. `variables` may be NULL where it is not wanted.
 *
 * ```c
 * wharf_term_match(term, "{ok, Size, _}", &variables);
 * wharf_term_map_get_atom(variables, "Size", &size);
 * ```
 *
 * The map belongs to the caller, who frees it with `wharf_term_free`. `*variables` is written on
 * success only.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_MISMATCH`: it does not match.
 * - `WHARF_STATUS_SYNTAX`: the text is no pattern; the error's text says where.
 * - `WHARF_STATUS_LIMIT`: there can be no more atoms for the names.
 * - `WHARF_STATUS_NULL`
 *
 * Any thread may call this.
 */
wharf_status wharf_term_match(const wharf_term *term,
                              const char *pattern,
                              wharf_term **variables);

/**
 * Makes an atom. The name is UTF-8 of at most 255 characters. Atoms are never forgotten, and there can
 * be 1,048,576 of them: do not make them of what strangers send.
 *
 * The term belongs to the caller, who frees it with `wharf_term_free` or makes it part of another. NULL
 * is a failure, about which `wharf_error_text` says more: a name that is NULL, too long or not UTF-8, or
 * too many atoms.
 *
 * Any thread may call this.
 */
wharf_term *wharf_term_atom(const char *name);

/**
 * Makes the atom `true` or `false`. Never NULL. It belongs to the caller, as of `wharf_term_atom`.
 *
 * Any thread may call this.
 */
wharf_term *wharf_term_bool(bool value);

/**
 * Makes an integer. Never NULL. It belongs to the caller, as of `wharf_term_atom`.
 *
 * Any thread may call this.
 */
wharf_term *wharf_term_int(int64_t value);

/**
 * Makes an integer that is not negative. Never NULL. It belongs to the caller, as of
 * `wharf_term_atom`.
 *
 * Any thread may call this.
 */
wharf_term *wharf_term_uint(uint64_t value);

/**
 * Makes an integer of any size from decimal digits, which may have a sign in front.
 *
 * It belongs to the caller, as of `wharf_term_atom`. NULL is a failure: the text is NULL, or something
 * else than a number.
 *
 * Any thread may call this.
 */
wharf_term *wharf_term_big(const char *decimal);

/**
 * Makes a float.
 *
 * It belongs to the caller, as of `wharf_term_atom`. NULL is a failure: Erlang has neither infinities
 * nor what is not a number.
 *
 * Any thread may call this.
 */
wharf_term *wharf_term_float(double value);

/**
 * Makes a binary, a copy of `len` bytes.
 *
 * It belongs to the caller, as of `wharf_term_atom`. NULL is a failure: `data` is NULL and `len` is not
 * 0, or `len` is larger than memory can be.
 *
 * Any thread may call this.
 */
wharf_term *wharf_term_binary(const void *data,
                              size_t len);

/**
 * Makes a bitstring, a copy of `len` bytes, of the last of which the upper `last_bits` bits count: 1 to 8,
 * where 8 is a binary.
 *
 * It belongs to the caller, as of `wharf_term_atom`. NULL is a failure: as of `wharf_term_binary`, or
 * another number of bits.
 *
 * Any thread may call this.
 */
wharf_term *wharf_term_bitstring(const void *data,
                                 size_t len,
                                 uint8_t last_bits);

/**
 * Makes a list of small integers, one for each of `len` bytes: what ports send that were opened without
 * `binary`.
 *
 * It belongs to the caller, as of `wharf_term_atom`. NULL is a failure as of `wharf_term_binary`.
 *
 * Any thread may call this.
 */
wharf_term *wharf_term_byte_list(const void *data,
                                 size_t len);

/**
 * Makes a charlist: a list of the code points of a text in UTF-8.
 *
 * It belongs to the caller, as of `wharf_term_atom`. NULL is a failure: the text is NULL or not UTF-8.
 *
 * Any thread may call this.
 */
wharf_term *wharf_term_charlist(const char *text);

/**
 * Makes a tuple of `count` terms:
 *
 * ```c
 * wharf_term *parts[] = {wharf_term_atom("ok"), wharf_term_int(1)};
 * wharf_term *pair = wharf_term_tuple(parts, 2);
 * ```
 *
 * The terms become parts of the tuple: they are not the caller's any more, and must not be freed, also
 * when this fails. The array stays the caller's. The tuple belongs to the caller, as of
 * `wharf_term_atom`. NULL is a failure: one of the terms is NULL, because what should have made it has
 * failed, or `terms` is and `count` is not 0.
 *
 * Any thread may call this.
 */
wharf_term *wharf_term_tuple(wharf_term *const *terms,
                             size_t count);

/**
 * Makes a list of `count` terms, the empty list of none. What becomes of the terms, and failures, are as
 * of `wharf_term_tuple`: they belong to the list, and the list belongs to the caller. NULL is a failure.
 *
 * Any thread may call this.
 */
wharf_term *wharf_term_list(wharf_term *const *terms,
                            size_t count);

/**
 * Makes a list of a first element and the rest, `[Head | Tail]`. Both are taken, and failures are as of
 * `wharf_term_tuple`; the list belongs to the caller. NULL is a failure.
 *
 * Any thread may call this.
 */
wharf_term *wharf_term_cons(wharf_term *head,
                            wharf_term *tail);

/**
 * Makes a map of `count` pairs: `2 * count` terms, each key before its value. Of equal keys the last
 * counts. What becomes of the terms, and failures, are as of `wharf_term_tuple`; the map belongs to the
 * caller. NULL is a failure.
 *
 * Any thread may call this.
 */
wharf_term *wharf_term_map(wharf_term *const *keys_and_values,
                           size_t count);

/**
 * Makes a term of a process's identity. Never NULL. It belongs to the caller, as of `wharf_term_atom`.
 *
 * Any thread may call this.
 */
wharf_term *wharf_term_pid(wharf_pid pid);

/**
 * Makes a term of a port's identity. Never NULL. It belongs to the caller, as of `wharf_term_atom`.
 *
 * Any thread may call this.
 */
wharf_term *wharf_term_port(wharf_port port);

/**
 * Makes a term of a reference. Never NULL. It belongs to the caller, as of `wharf_term_atom`.
 *
 * Any thread may call this.
 */
wharf_term *wharf_term_reference(wharf_reference reference);

/**
 * A reference like no other, as Erlang's `make_ref()`.
 *
 * Any thread may call this.
 */
wharf_reference wharf_reference_new(void);

/**
 * What a term is; `WHARF_TERM_NONE` for NULL.
 *
 * Any thread may call this.
 */
wharf_term_kind wharf_term_kind_of(const wharf_term *term);

/**
 * The value of an integer that fits.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_TYPE`: it is no integer.
 * - `WHARF_STATUS_RANGE`: it is one that needs more than 64 bits; `wharf_term_text` prints it.
 * - `WHARF_STATUS_NULL`
 *
 * Any thread may call this.
 */
wharf_status wharf_term_get_int(const wharf_term *term, int64_t *value);

/**
 * The value of an integer that is not negative and fits.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_TYPE`: it is no integer.
 * - `WHARF_STATUS_RANGE`: it is negative, or needs more than 64 bits.
 * - `WHARF_STATUS_NULL`
 *
 * Any thread may call this.
 */
wharf_status wharf_term_get_uint(const wharf_term *term, uint64_t *value);

/**
 * The value of a float. Integers are none.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_TYPE`: it is no float.
 * - `WHARF_STATUS_NULL`
 *
 * Any thread may call this.
 */
wharf_status wharf_term_get_float(const wharf_term *term, double *value);

/**
 * The value of the atom `true` or `false`.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_TYPE`: it is neither.
 * - `WHARF_STATUS_NULL`
 *
 * Any thread may call this.
 */
wharf_status wharf_term_get_bool(const wharf_term *term, bool *value);

/**
 * The name of an atom, in UTF-8 with a NUL at its end. It belongs to the library and is good for ever.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_TYPE`: it is no atom.
 * - `WHARF_STATUS_NULL`
 *
 * Any thread may call this.
 */
wharf_status wharf_term_get_atom(const wharf_term *term,
                                 const char **name);

/**
 * Whether a term is the atom of this name. False for NULLs.
 *
 * Any thread may call this.
 */
bool wharf_term_is_atom(const wharf_term *term, const char *name);

/**
 * The bytes of a binary, which are not copied: they belong to the term, and are good and unchanged
 * until it is freed. No NUL ends them.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_TYPE`: it is no binary.
 * - `WHARF_STATUS_NULL`
 *
 * Any thread may call this.
 */
wharf_status wharf_term_get_binary(const wharf_term *term, const void **data, size_t *len);

/**
 * The bytes of a binary or a bitstring, as of `wharf_term_get_binary`: they belong to the term. Of the
 * last byte the upper `last_bits` bits count: 8 in a binary, 0 when there is no byte.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_TYPE`: it is neither.
 * - `WHARF_STATUS_NULL`
 *
 * Any thread may call this.
 */
wharf_status wharf_term_get_bitstring(const wharf_term *term,
                                      const void **data,
                                      size_t *len,
                                      uint8_t *last_bits);

/**
 * The identity of a process.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_TYPE`: it is none.
 * - `WHARF_STATUS_NULL`
 *
 * Any thread may call this.
 */
wharf_status wharf_term_get_pid(const wharf_term *term, wharf_pid *pid);

/**
 * The identity of a port.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_TYPE`: it is none.
 * - `WHARF_STATUS_NULL`
 *
 * Any thread may call this.
 */
wharf_status wharf_term_get_port(const wharf_term *term, wharf_port *port);

/**
 * A reference.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_TYPE`: it is none.
 * - `WHARF_STATUS_NULL`
 *
 * Any thread may call this.
 */
wharf_status wharf_term_get_reference(const wharf_term *term, wharf_reference *reference);

/**
 * How many elements a tuple or a list has, how many pairs a map, how many bytes a binary or a
 * bitstring. Of a list that ends in something else than `[]` that end is not counted. `(size_t)-1` is a
 * failure: the term is NULL, or of another kind.
 *
 * Any thread may call this.
 */
size_t wharf_term_size(const wharf_term *term);

/**
 * Element number `index` of a tuple, counted from 0. It is lent: it belongs to the tuple, and is good until
 * that is freed. NULL is a failure: the term is NULL or no tuple, or has no such element.
 *
 * Lists and maps are read by way of `wharf_term_elements`. Any thread may call this.
 */
const wharf_term *wharf_term_element(const wharf_term *term,
                                     size_t index);

/**
 * The elements of a list, or the pairs `{Key, Value}` of a map in the order of their keys, as a tuple,
 * which `wharf_term_element` reads by number. A tuple is given as it is.
 *
 * The tuple belongs to the caller, who frees it with `wharf_term_free`. `*elements` is written on success
 * only.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_TYPE`: the term is neither, or a list that ends in something else than `[]`;
 *   `wharf_term_head` and `wharf_term_tail` read that.
 * - `WHARF_STATUS_NULL`
 *
 * Any thread may call this.
 */
wharf_status wharf_term_elements(const wharf_term *term,
                                 wharf_term **elements);

/**
 * The first element of a list. It belongs to the caller, who frees it with `wharf_term_free`. NULL is a
 * failure: the term is NULL, or no list, or the empty one.
 *
 * Any thread may call this.
 */
wharf_term *wharf_term_head(const wharf_term *term);

/**
 * What comes after the first element of a list. It belongs to the caller, who frees it with
 * `wharf_term_free`. NULL is a failure as of `wharf_term_head`.
 *
 * Any thread may call this.
 */
wharf_term *wharf_term_tail(const wharf_term *term);

/**
 * The value of a key in a map. It is lent: it belongs to the map, and is good until that is freed. `*value`
 * is written on success only.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_NOTFOUND`: the map has no such key.
 * - `WHARF_STATUS_TYPE`: it is no map.
 * - `WHARF_STATUS_NULL`
 *
 * Any thread may call this.
 */
wharf_status wharf_term_map_get(const wharf_term *map,
                                const wharf_term *key,
                                const wharf_term **value);

/**
 * The value of a key that is an atom of this name, as `wharf_term_map_get` finds it: it is lent, and
 * belongs to the map.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_NOTFOUND`: the map has no such key.
 * - `WHARF_STATUS_TYPE`: it is no map.
 * - `WHARF_STATUS_SYNTAX`: the name is not UTF-8.
 * - `WHARF_STATUS_NULL`
 *
 * Any thread may call this.
 */
wharf_status wharf_term_map_get_atom(const wharf_term *map,
                                     const char *name,
                                     const wharf_term **value);

/**
 * All bytes of iodata, which is a binary or nested lists of bytes and binaries, as one binary: Erlang's
 * `iolist_to_binary`.
 *
 * The binary belongs to the caller, who frees it with `wharf_term_free`. `*binary` is written on success
 * only.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_TYPE`: it is no iodata.
 * - `WHARF_STATUS_NULL`
 *
 * Any thread may call this.
 */
wharf_status wharf_term_flatten(const wharf_term *term,
                                wharf_term **binary);

/**
 * A charlist, a list of code points, as text in UTF-8. The text belongs to the caller, who frees it with
 * `wharf_text_free`. NULL is a failure: the term is NULL or no charlist.
 *
 * Any thread may call this.
 */
char *wharf_term_charlist_text(const wharf_term *term);

/**
 * Writes a term in the external format, as Erlang's `term_to_binary`: the byte 131 first, as
 * `ei_decode_version` wants it. `level` is how hard to compress, from 0 (not at all) to 9.
 *
 * The result is a binary, whose bytes `wharf_term_get_binary` gives. It belongs to the caller, who frees
 * it with `wharf_term_free`. `*binary` is written on success only.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_BADARG`: there is something in it that has no external form; the error's text says what.
 * - `WHARF_STATUS_RANGE`: there is no such level.
 * - `WHARF_STATUS_NULL`
 *
 * Any thread may call this.
 */
wharf_status wharf_term_encode(const wharf_term *term,
                               uint32_t level,
                               wharf_term **binary);

/**
 * Reads a term in the external format, as Erlang's `binary_to_term`: from `len` bytes, the first of
 * which is 131. How many of them it took is written to `*used`; with NULL for `used`, it has to take all.
 * What strangers send does no harm: depth and size are limited, and the bytes are checked.
 *
 * The term belongs to the caller, who frees it with `wharf_term_free`. `*term` is written on success
 * only.
 *
 * - `WHARF_STATUS_OK`
 * - `WHARF_STATUS_SYNTAX`: the bytes are no term; the error's text says where.
 * - `WHARF_STATUS_NULL`
 *
 * Any thread may call this.
 */
wharf_status wharf_term_decode(const void *data,
                               size_t len,
                               wharf_term **term,
                               size_t *used);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* WHARF_H */
