/*
 * erl_driver.h - everything a C port driver needs to be compiled. Driver interface 3.3.
 *
 * A port driver is a shared library with one exported function, driver_init(), which returns
 * a table of callbacks (ErlDrvEntry). Whoever hosts the driver, wharf or an Erlang virtual
 * machine, calls these callbacks when somebody opens a port with the driver, sends data to it
 * or closes it. The driver answers with the functions declared below. A library compiled with
 * this header is the same binary as one compiled inside an Erlang tree: structures, constants
 * and names agree, and no Erlang needs to be installed to build it.
 *
 *     cc -shared -fPIC -I include -o echo_drv.so echo_drv.c
 *
 * The names of the functions are resolved when the library is loaded, so a driver is linked
 * with undefined symbols and against no library.
 *
 * THREADS. Every callback of a port runs while that port is "entered": no other callback of the
 * same port runs meanwhile. Unless the driver sets ERL_DRV_FLAG_USE_PORT_LOCKING this holds for
 * all ports of the driver together, so its global variables need no lock. Which thread runs a
 * callback is left open and changes from call to call. Each function below is marked:
 *
 *   [port]  only while the port given is entered: in one of its callbacks
 *   [pdl]   like [port], or from another thread that holds the port data lock
 *   [any]   from any thread, also one of the driver's own
 *
 * FAILURE. A function given a port that no longer exists answers with a failure value and does
 * nothing else. Where nothing is said, that value is -1.
 *
 * OWNERSHIP. Buffers given to a function are copied or read before it returns. Binaries are
 * counted: a function that keeps one takes a reference of its own, and the caller's remains
 * the caller's. Buffers given to a callback are valid until the callback returns.
 */
#ifndef ERL_DRIVER_H
#define ERL_DRIVER_H

#include <stddef.h>
#include <stdlib.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Version ------------------------------------------------------------------------------ */

#define ERL_DRV_EXTENDED_MARKER ((int)0xfeeeeeedu)
#define ERL_DRV_EXTENDED_MAJOR_VERSION 3
#define ERL_DRV_EXTENDED_MINOR_VERSION 3
/* A library with an older major version than this one is refused. */
#define ERL_DRV_MIN_REQUIRED_MAJOR_VERSION_ON_LOAD 2

/* ---- Plain types -------------------------------------------------------------------------- */

typedef unsigned long ErlDrvUInt;
typedef long ErlDrvSInt;
typedef unsigned long ErlDrvUInt64;
typedef long ErlDrvSInt64;
typedef size_t ErlDrvSizeT;
typedef ssize_t ErlDrvSSizeT;

/* One word of a term: an atom, a port, a process, or a step of a term program (see
 * erl_drv_output_term). Compare two of the same kind with ==; do not look inside. */
typedef ErlDrvUInt ErlDrvTermData;
#define TERM_DATA(x) ((ErlDrvTermData)(x))

/* A port as its driver names it. It is a handle: compare it, keep it, never follow it. */
typedef struct _erl_drv_port *ErlDrvPort;
/* What start() returned: the driver's own data, handed back in every callback. */
typedef struct _erl_drv_data *ErlDrvData;
/* Something to wait for with driver_select(): a file descriptor, cast. */
typedef struct _erl_drv_event *ErlDrvEvent;
/* The data of a job, as ready_async() receives it. */
typedef struct _erl_drv_thread_data *ErlDrvThreadData;

/* What start() returns instead of data when the port cannot be opened. */
#define ERL_DRV_ERROR_GENERAL ((ErlDrvData)-1) /* open_port fails with einval */
#define ERL_DRV_ERROR_ERRNO ((ErlDrvData)-2)   /* ... with the atom that errno stands for */
#define ERL_DRV_ERROR_BADARG ((ErlDrvData)-3)  /* ... with badarg */

/* A counted, shareable piece of memory: make one with driver_alloc_binary() only, since its
 * count lies in front of it. Others may see the bytes as soon as the binary was handed on;
 * from then on they must not change. */
typedef struct erl_drv_binary {
    ErlDrvSInt orig_size; /* number of bytes */
    char orig_bytes[1];   /* the first of them */
} ErlDrvBinary;

/* One piece of scattered data. The same in memory as struct iovec, so an array of these may be
 * cast for writev(). */
typedef struct SysIOVec {
    char *iov_base;
    size_t iov_len;
} SysIOVec;

/* Scattered data. binv[i] is the binary that iov[i] lies in, or NULL for memory that has to be
 * copied to be kept. */
typedef struct erl_io_vec {
    int vsize;           /* length of both arrays */
    ErlDrvSizeT size;    /* bytes in all pieces together */
    SysIOVec *iov;
    ErlDrvBinary **binv;
} ErlIOVec;

/* Identifies one process monitor. Copy it by value; compare with driver_compare_monitors(). */
typedef struct ErlDrvMonitor {
    unsigned char data[32];
} ErlDrvMonitor;

/* Facts about the host, see driver_system_info(). */
typedef struct ErlDrvSysInfo {
    int driver_major_version;
    int driver_minor_version;
    char *erts_version;
    char *otp_release;
    int thread_support;
    int smp_support;
    int async_threads;     /* size of the pool behind driver_async() */
    int scheduler_threads; /* threads that run callbacks */
    int nif_major_version;
    int nif_minor_version;
    int dirty_scheduler_support;
} ErlDrvSysInfo;

/* ---- The driver's table of callbacks ------------------------------------------------------ */

/* Flags for ErlDrvEntry.driver_flags. */
#define ERL_DRV_FLAG_USE_PORT_LOCKING (1 << 0) /* ports of the driver run independently */
#define ERL_DRV_FLAG_SOFT_BUSY (1 << 1)        /* commands may be forced on a busy port */
#define ERL_DRV_FLAG_NO_BUSY_MSGQ (1 << 2)     /* no limit on commands that wait for the port */
#define ERL_DRV_FLAG_USE_INIT_ACK (1 << 3)     /* open_port waits for erl_drv_init_ack() */

/* Every callback may be NULL: what is missing is not done. The versions and the marker must be
 * filled in with the constants above. The table and the name must stay where they are as long
 * as the library is loaded; the host does not write to them. */
typedef struct erl_drv_entry {
    /* Once, after loading. Non-zero: the driver cannot work, the library is closed again. */
    int (*init)(void);
    /* A port is opened. command is the whole text of the open: the driver's name, a space, the
     * arguments. Returns the data of this port, or one of ERL_DRV_ERROR_*. */
    ErlDrvData (*start)(ErlDrvPort port, char *command);
    /* The port ends: release its data, deselect its descriptors. Called exactly once for each
     * start() that succeeded. */
    void (*stop)(ErlDrvData drv_data);
    /* Data was sent to the port. */
    void (*output)(ErlDrvData drv_data, char *buf, ErlDrvSizeT len);
    /* A descriptor selected with ERL_DRV_READ (ERL_DRV_WRITE) is ready. Be prepared for
     * EAGAIN: another thread may have emptied it. */
    void (*ready_input)(ErlDrvData drv_data, ErlDrvEvent event);
    void (*ready_output)(ErlDrvData drv_data, ErlDrvEvent event);
    /* The name to open ports with, the same as the library's file name without ".so". */
    char *driver_name;
    /* Once, before the library is closed. */
    void (*finish)(void);
    void *handle; /* the host's; leave it NULL */
    /* port_control(): answer synchronously. buf is not terminated by a zero, and must not be
     * written to. Put up to rlen bytes into *rbuf, or point *rbuf to a larger buffer from
     * driver_alloc(), which the host frees; return the number of bytes, or -1 for badarg. In
     * binary mode (set_port_control_flags) a pointer put into *rbuf is an ErlDrvBinary and is
     * sent whole. *rbuf = NULL sends an empty list. */
    ErlDrvSSizeT (*control)(ErlDrvData drv_data, unsigned int command, char *buf, ErlDrvSizeT len,
                            char **rbuf, ErlDrvSizeT rlen);
    /* The port's timer, set with driver_set_timer(), ran out. */
    void (*timeout)(ErlDrvData drv_data);
    /* Like output(), and preferred over it, without a copy. ev->iov[0] is always empty: it is
     * room for a header when the vector is passed on. */
    void (*outputv)(ErlDrvData drv_data, ErlIOVec *ev);
    /* A job given to driver_async() is done. */
    void (*ready_async)(ErlDrvData drv_data, ErlDrvThreadData thread_data);
    /* The port is closing and its queue is not empty: have it written. stop() comes when the
     * queue is empty. */
    void (*flush)(ErlDrvData drv_data);
    /* port_call(): like control(), with terms in the external format in both directions. Set
     * *flags to DRIVER_CALL_KEEP_BUFFER when the host must not free *rbuf. */
    ErlDrvSSizeT (*call)(ErlDrvData drv_data, unsigned int command, char *buf, ErlDrvSizeT len,
                         char **rbuf, ErlDrvSizeT rlen, unsigned int *flags);
    void (*unused_event_callback)(void); /* leave it NULL */
    int extended_marker;                 /* ERL_DRV_EXTENDED_MARKER */
    int major_version;                   /* ERL_DRV_EXTENDED_MAJOR_VERSION */
    int minor_version;                   /* ERL_DRV_EXTENDED_MINOR_VERSION */
    int driver_flags;                    /* ERL_DRV_FLAG_* */
    void *handle2;                       /* the host's; leave it NULL */
    /* A process monitored with driver_monitor_process() has died. */
    void (*process_exit)(ErlDrvData drv_data, ErlDrvMonitor *monitor);
    /* Nobody uses this descriptor any more: close it. The port may be gone by now, so no
     * function that takes a port may be called. */
    void (*stop_select)(ErlDrvEvent event, void *reserved);
    /* The host is going down in an emergency: let go of what would outlive it. */
    void (*emergency_close)(ErlDrvData drv_data);
} ErlDrvEntry;

/* Defines the exported function that returns the table:
 *
 *     DRIVER_INIT(echo_drv) { return &entry; }
 *
 * In a driver that is linked into the host's program (STATIC_ERLANG_DRIVER defined), the
 * function is called <name>_driver_init; the name may also come from ERLANG_DRIVER_NAME. */
#ifdef __cplusplus
#define ERL_DRIVER_EXPORT extern "C" __attribute__((visibility("default")))
#else
#define ERL_DRIVER_EXPORT __attribute__((visibility("default")))
#endif
#define ERL_DRV_PASTE2_(a, b) a##b
#define ERL_DRV_PASTE_(a, b) ERL_DRV_PASTE2_(a, b)
#ifdef STATIC_ERLANG_DRIVER
#ifdef ERLANG_DRIVER_NAME
#define DRIVER_INIT(name) \
    ERL_DRIVER_EXPORT ErlDrvEntry *ERL_DRV_PASTE_(ERLANG_DRIVER_NAME, _driver_init)(void); \
    ERL_DRIVER_EXPORT ErlDrvEntry *ERL_DRV_PASTE_(ERLANG_DRIVER_NAME, _driver_init)(void)
#else
#define DRIVER_INIT(name) \
    ERL_DRIVER_EXPORT ErlDrvEntry *ERL_DRV_PASTE_(name, _driver_init)(void); \
    ERL_DRIVER_EXPORT ErlDrvEntry *ERL_DRV_PASTE_(name, _driver_init)(void)
#endif
#else
#define DRIVER_INIT(name) \
    ERL_DRIVER_EXPORT ErlDrvEntry *driver_init(void); \
    ERL_DRIVER_EXPORT ErlDrvEntry *driver_init(void)
#endif

#ifndef EXTERN
#ifdef __cplusplus
#define EXTERN extern "C"
#else
#define EXTERN extern
#endif
#endif
#define ERL_DRV_DEPRECATED_FUNC __attribute__((deprecated))

/* ---- Output to the owner of the port ------------------------------------------------------ */

/* Send {Port, {data, Bytes}} to the port's owner: [port], 0. Bytes are a binary or a list, as
 * the port was opened (in start() always a list), and are cut into lines if it was opened so. */
int driver_output(ErlDrvPort port, char *buf, ErlDrvSizeT len);
/* The same with a header of bytes in front, which arrives as a list: [H1, H2 | Bytes]. */
int driver_output2(ErlDrvPort port, char *hbuf, ErlDrvSizeT hlen, char *buf, ErlDrvSizeT len);
/* Sends len bytes of a binary from offset on, shared when it is large. */
int driver_output_binary(ErlDrvPort port, char *hbuf, ErlDrvSizeT hlen, ErlDrvBinary *bin,
                         ErlDrvSizeT offset, ErlDrvSizeT len);
/* Sends a vector without its first skip bytes. May change ev->iov. */
int driver_outputv(ErlDrvPort port, char *hbuf, ErlDrvSizeT hlen, ErlIOVec *ev, ErlDrvSizeT skip);
/* Copies the bytes of a vector to a buffer and returns how many: [any]. */
ErlDrvSizeT driver_vec_to_buf(ErlIOVec *ev, char *buf, ErlDrvSizeT len);

/* ---- Terms -------------------------------------------------------------------------------- */

/* A term is described by an array of words that a small stack machine runs through: each tag
 * below is followed by its operands; the first group pushes a term, the second takes terms
 * that were pushed. Exactly one must be left. {Port, [1, 2]}:
 *
 *     ErlDrvTermData spec[] = {
 *         ERL_DRV_PORT, driver_mk_port(port),
 *         ERL_DRV_INT, 1,  ERL_DRV_INT, 2,  ERL_DRV_NIL,  ERL_DRV_LIST, 3,
 *         ERL_DRV_TUPLE, 2 };
 *     erl_drv_output_term(driver_mk_port(port), spec, sizeof spec / sizeof spec[0]);
 */
#define ERL_DRV_NIL ((ErlDrvTermData)1)
#define ERL_DRV_ATOM ((ErlDrvTermData)2)        /* an atom from driver_mk_atom() */
#define ERL_DRV_INT ((ErlDrvTermData)3)         /* ErlDrvSInt */
#define ERL_DRV_PORT ((ErlDrvTermData)4)        /* a port from driver_mk_port() */
#define ERL_DRV_BINARY ((ErlDrvTermData)5)      /* ErlDrvBinary *, size, offset */
#define ERL_DRV_STRING ((ErlDrvTermData)6)      /* char *, length: a list of bytes */
#define ERL_DRV_PID ((ErlDrvTermData)10)        /* a process */
#define ERL_DRV_FLOAT ((ErlDrvTermData)11)      /* double * */
#define ERL_DRV_EXT2TERM ((ErlDrvTermData)12)   /* char *, size: the external format */
#define ERL_DRV_UINT ((ErlDrvTermData)13)       /* ErlDrvUInt */
#define ERL_DRV_BUF2BINARY ((ErlDrvTermData)14) /* char *, size: copied into a binary */
#define ERL_DRV_INT64 ((ErlDrvTermData)15)      /* ErlDrvSInt64 * */
#define ERL_DRV_UINT64 ((ErlDrvTermData)16)     /* ErlDrvUInt64 * */

#define ERL_DRV_TUPLE ((ErlDrvTermData)7)       /* number of elements */
#define ERL_DRV_LIST ((ErlDrvTermData)8)        /* number of terms, the tail included */
#define ERL_DRV_STRING_CONS ((ErlDrvTermData)9) /* char *, length: put before a list */
#define ERL_DRV_MAP ((ErlDrvTermData)17)        /* number of pairs: key, value, key, value */

/* Send a term to the owner of a port, or to any process. The ports are named by the word from
 * driver_mk_port(): [any]. 1: sent; 0: nobody to receive it; -1: no such port, or a bad term. */
int erl_drv_output_term(ErlDrvTermData port, ErlDrvTermData *data, int len);
int erl_drv_send_term(ErlDrvTermData port, ErlDrvTermData receiver, ErlDrvTermData *data, int len);
/* Older forms: [port]. */
int driver_output_term(ErlDrvPort port, ErlDrvTermData *data, int len) ERL_DRV_DEPRECATED_FUNC;
int driver_send_term(ErlDrvPort port, ErlDrvTermData receiver, ErlDrvTermData *data, int len)
    ERL_DRV_DEPRECATED_FUNC;

/* The atom of this name (Latin-1, at most 255 characters), the same word for ever: [any]. */
ErlDrvTermData driver_mk_atom(char *name);
/* The port as a term, [] for a dead one: [port]. */
ErlDrvTermData driver_mk_port(ErlDrvPort port);
/* The process that owns the port: [port]. */
ErlDrvTermData driver_connected(ErlDrvPort port);
/* The process whose request is being served; [] in callbacks that serve none: [port]. */
ErlDrvTermData driver_caller(ErlDrvPort port);
/* The empty list: [any]. */
extern const ErlDrvTermData driver_term_nil;
ErlDrvTermData driver_mk_term_nil(void);

/* ---- Ending the port ---------------------------------------------------------------------- */

/* End the port from inside: [port], 0. What is queued is dropped. stop() has run when the
 * function returns, so the driver's data is gone: return at once. */
int driver_failure_eof(ErlDrvPort port); /* with option eof: only tells the owner {Port, eof} */
int driver_failure_atom(ErlDrvPort port, char *reason);
int driver_failure_posix(ErlDrvPort port, int error);
int driver_failure(ErlDrvPort port, int error); /* the reason is the number; 0 as at end of file */
/* The same without an exit signal to the owner, who is unlinked first. */
int driver_exit(ErlDrvPort port, int error);
/* Asks another port (its term, not its handle) as port_control() would, without waiting: the
 * answer is lost. buf is from driver_alloc, and the host's from now on unless this fails: [any]. */
int erl_drv_port_control(ErlDrvTermData port, unsigned int command, char *buf, ErlDrvSizeT len);
/* Sends {Port, {exit_status, Status}} to the owner: [port]. */
void driver_report_exit(ErlDrvPort port, int status);

/* ---- Waiting for descriptors -------------------------------------------------------------- */

#define ERL_DRV_READ 1
#define ERL_DRV_WRITE 2
#define ERL_DRV_USE 4                    /* the descriptor is in use, even if not waited for */
#define ERL_DRV_USE_NO_CALLBACK (4 | 8) /* forget it without calling stop_select() */
#define DO_READ ERL_DRV_READ
#define DO_WRITE ERL_DRV_WRITE

/* Starts (on = 1) or ends (on = 0) waiting for a descriptor: [port], 0. ready_input() and
 * ready_output() are called again and again while there is something. A descriptor that was
 * selected with ERL_DRV_USE is given up by deselecting it with ERL_DRV_USE; close it in
 * stop_select(), never before. */
int driver_select(ErlDrvPort port, ErlDrvEvent event, int mode, int on);

/* ---- Timer: one for each port ------------------------------------------------------------- */

/* Call timeout() once in so many milliseconds; replaces an earlier one: [port], 0. */
int driver_set_timer(ErlDrvPort port, unsigned long milliseconds);
int driver_cancel_timer(ErlDrvPort port);
/* What is left of it, 0 if none is set. */
int driver_read_timer(ErlDrvPort port, unsigned long *milliseconds);

/* ---- Jobs that take long ------------------------------------------------------------------ */

/* Runs invoke(data) on a thread of the host's pool, then ready_async(): [port]. Jobs with the
 * same *key run one after the other (the key is overwritten); NULL lets any thread take it. If
 * the port is gone by then, destroy(data) is called instead. Returns a positive number. */
long driver_async(ErlDrvPort port, unsigned int *key, void (*invoke)(void *), void *data,
                  void (*destroy)(void *));
/* A key of the port's own: [port], 0 for a dead one. */
unsigned int driver_async_port_key(ErlDrvPort port);

/* ---- The port's queue of data to write ---------------------------------------------------- */

/* Put bytes at the end (enq) or at the front (pushq): [pdl], 0. */
int driver_enq(ErlDrvPort port, char *buf, ErlDrvSizeT len);
int driver_pushq(ErlDrvPort port, char *buf, ErlDrvSizeT len);
int driver_enq_bin(ErlDrvPort port, ErlDrvBinary *bin, ErlDrvSizeT offset, ErlDrvSizeT len);
int driver_pushq_bin(ErlDrvPort port, ErlDrvBinary *bin, ErlDrvSizeT offset, ErlDrvSizeT len);
int driver_enqv(ErlDrvPort port, ErlIOVec *ev, ErlDrvSizeT skip);
int driver_pushqv(ErlDrvPort port, ErlIOVec *ev, ErlDrvSizeT skip);
/* Takes bytes off the front and returns how many are left: [pdl]. */
ErlDrvSizeT driver_deq(ErlDrvPort port, ErlDrvSizeT len);
/* The number of bytes in it: [pdl]. */
ErlDrvSizeT driver_sizeq(ErlDrvPort port);
/* Its contents, lent until the queue changes: [pdl]. NULL when it is empty. */
SysIOVec *driver_peekq(ErlDrvPort port, int *vlen);
ErlDrvSizeT driver_peekqv(ErlDrvPort port, ErlIOVec *ev);

/* A lock for data, and the queue, that threads share with callbacks. It is counted; the port
 * holds one reference until it ends, each thread needs its own. NULL if there is one already:
 * [port]; the others [any]. */
typedef struct erl_drv_port_data_lock *ErlDrvPDL;
ErlDrvPDL driver_pdl_create(ErlDrvPort port);
void driver_pdl_lock(ErlDrvPDL pdl);
void driver_pdl_unlock(ErlDrvPDL pdl);
ErlDrvSInt driver_pdl_get_refc(ErlDrvPDL pdl);
ErlDrvSInt driver_pdl_inc_refc(ErlDrvPDL pdl);
ErlDrvSInt driver_pdl_dec_refc(ErlDrvPDL pdl);

/* ---- Memory: [any] ------------------------------------------------------------------------ */

void *driver_alloc(ErlDrvSizeT size);
void *driver_realloc(void *ptr, ErlDrvSizeT size);
void driver_free(void *ptr);

ErlDrvBinary *driver_alloc_binary(ErlDrvSizeT size);
/* Only while nobody else has a reference. */
ErlDrvBinary *driver_realloc_binary(ErlDrvBinary *bin, ErlDrvSizeT size);
/* Gives up a reference; the last one frees the binary. */
void driver_free_binary(ErlDrvBinary *bin);
/* Each returns the number of references afterwards; dec must not take the last one. */
ErlDrvSInt driver_binary_get_refc(ErlDrvBinary *bin);
ErlDrvSInt driver_binary_inc_refc(ErlDrvBinary *bin);
ErlDrvSInt driver_binary_dec_refc(ErlDrvBinary *bin);

/* ---- The port itself ---------------------------------------------------------------------- */

#define PORT_CONTROL_FLAG_BINARY (1 << 0) /* control() answers with binaries */
#define PORT_CONTROL_FLAG_HEAVY (1 << 1)  /* without effect */
#define DRIVER_CALL_KEEP_BUFFER 0x1       /* for call(): do not free *rbuf */
void set_port_control_flags(ErlDrvPort port, int flags);

#define PORT_FLAG_BINARY (1 << 0)
#define PORT_FLAG_LINE (1 << 1)
/* How the port was opened, 0 in start() and for a dead port: [port]. */
int get_port_flags(ErlDrvPort port);

/* While a port is busy, processes that send to it are suspended: [port]. */
void set_busy_port(ErlDrvPort port, int on);

#define ERL_DRV_BUSY_MSGQ_DISABLED (~((ErlDrvSizeT)0))
#define ERL_DRV_BUSY_MSGQ_READ_ONLY ((ErlDrvSizeT)0)
#define ERL_DRV_BUSY_MSGQ_LIM_MAX (ERL_DRV_BUSY_MSGQ_DISABLED - 1)
#define ERL_DRV_BUSY_MSGQ_LIM_MIN ((ErlDrvSizeT)1)
/* Limits, in bytes, on commands that wait for the port: senders are suspended above *high and
 * resumed below *low. Reads the limits where *low or *high is 0, sets them elsewhere: [port]. */
void erl_drv_busy_msgq_limits(ErlDrvPort port, ErlDrvSizeT *low, ErlDrvSizeT *high);

/* Says how much of a time slice, in percent, was used since the last call. 1: the callback
 * should return soon; 0: it may go on: [port]. */
int erl_drv_consume_timeslice(ErlDrvPort port, int percent);
/* The process id that port_info(Port, os_pid) shows: [port]. */
void erl_drv_set_os_pid(ErlDrvPort port, ErlDrvSInt pid);
/* Lets a waiting open_port return, with new data or with an ERL_DRV_ERROR_*: [port]. */
void erl_drv_init_ack(ErlDrvPort port, ErlDrvData data);
/* Never unload this driver: [port], 0. */
int driver_lock_driver(ErlDrvPort port);
/* Opens another port of the same driver, owned by and linked to a process, without start():
 * [port]. (ErlDrvPort)-1 if it cannot be. */
ErlDrvPort driver_create_port(ErlDrvPort creator, ErlDrvTermData owner, char *name,
                              ErlDrvData drv_data);
/* Adds or removes a driver that is part of the program. Removing: 1 done, 0 unknown, -1 it was
 * loaded from a file, or one of its ports or jobs is left. */
void add_driver_entry(ErlDrvEntry *entry);
int remove_driver_entry(ErlDrvEntry *entry);
int null_func(void);

/* ---- Watching processes: [pdl] ------------------------------------------------------------ */

/* Have process_exit() called when the process dies: 0; 1 there is none; -1 no callback. */
int driver_monitor_process(ErlDrvPort port, ErlDrvTermData process, ErlDrvMonitor *monitor);
/* 0; 1 if it was not monitored (any longer). */
int driver_demonitor_process(ErlDrvPort port, const ErlDrvMonitor *monitor);
/* The process a monitor watches, or []. */
ErlDrvTermData driver_get_monitored_process(ErlDrvPort port, const ErlDrvMonitor *monitor);
/* 0 for the same monitor, else an order: [any]. */
int driver_compare_monitors(const ErlDrvMonitor *a, const ErlDrvMonitor *b);

/* ---- Locks and threads: [any] ------------------------------------------------------------- */

/* Names serve people who debug, and may be NULL. Locks are not recursive. try functions return
 * 0, or EBUSY when somebody holds the lock. */
typedef struct ErlDrvMutex_ ErlDrvMutex;
typedef struct ErlDrvCond_ ErlDrvCond;
typedef struct ErlDrvRWLock_ ErlDrvRWLock;

ErlDrvMutex *erl_drv_mutex_create(char *name);
void erl_drv_mutex_destroy(ErlDrvMutex *mutex);
void erl_drv_mutex_lock(ErlDrvMutex *mutex);
int erl_drv_mutex_trylock(ErlDrvMutex *mutex);
void erl_drv_mutex_unlock(ErlDrvMutex *mutex);
char *erl_drv_mutex_name(ErlDrvMutex *mutex);

ErlDrvCond *erl_drv_cond_create(char *name);
void erl_drv_cond_destroy(ErlDrvCond *cond);
/* May return without having been signalled: check again what was waited for. */
void erl_drv_cond_wait(ErlDrvCond *cond, ErlDrvMutex *mutex);
void erl_drv_cond_signal(ErlDrvCond *cond);
void erl_drv_cond_broadcast(ErlDrvCond *cond);
char *erl_drv_cond_name(ErlDrvCond *cond);

ErlDrvRWLock *erl_drv_rwlock_create(char *name);
void erl_drv_rwlock_destroy(ErlDrvRWLock *rwlock);
void erl_drv_rwlock_rlock(ErlDrvRWLock *rwlock);
int erl_drv_rwlock_tryrlock(ErlDrvRWLock *rwlock);
void erl_drv_rwlock_runlock(ErlDrvRWLock *rwlock);
void erl_drv_rwlock_rwlock(ErlDrvRWLock *rwlock);
int erl_drv_rwlock_tryrwlock(ErlDrvRWLock *rwlock);
void erl_drv_rwlock_rwunlock(ErlDrvRWLock *rwlock);
char *erl_drv_rwlock_name(ErlDrvRWLock *rwlock);

/* Data that each thread has its own of. Destroying a key does not clear what threads stored. */
typedef int ErlDrvTSDKey;
int erl_drv_tsd_key_create(char *name, ErlDrvTSDKey *key);
void erl_drv_tsd_key_destroy(ErlDrvTSDKey key);
void erl_drv_tsd_set(ErlDrvTSDKey key, void *data);
void *erl_drv_tsd_get(ErlDrvTSDKey key);

/* Threads of the driver's own. Each has to be joined, before finish() returns at the latest. */
typedef struct ErlDrvTid_ *ErlDrvTid;
typedef struct ErlDrvThreadOpts {
    int suggested_stack_size; /* in 1024 words; -1 leaves it to the host */
} ErlDrvThreadOpts;
ErlDrvThreadOpts *erl_drv_thread_opts_create(char *name);
void erl_drv_thread_opts_destroy(ErlDrvThreadOpts *opts);
/* 0, or an error number. opts may be NULL. */
int erl_drv_thread_create(char *name, ErlDrvTid *tid, void *(*func)(void *), void *arg,
                          ErlDrvThreadOpts *opts);
ErlDrvTid erl_drv_thread_self(void);
int erl_drv_equal_tids(ErlDrvTid a, ErlDrvTid b);
void erl_drv_thread_exit(void *result);
int erl_drv_thread_join(ErlDrvTid tid, void **result);
char *erl_drv_thread_name(ErlDrvTid tid);

/* ---- Time, environment, libraries: [any] -------------------------------------------------- */

typedef ErlDrvSInt64 ErlDrvTime;
typedef enum ErlDrvTimeUnit {
    ERL_DRV_SEC = 0,
    ERL_DRV_MSEC = 1,
    ERL_DRV_USEC = 2,
    ERL_DRV_NSEC = 3
} ErlDrvTimeUnit;
#define ERL_DRV_TIME_ERROR ((ErlDrvSInt64)(-9223372036854775807L - 1)) /* the answer to an unknown unit */
/* Never goes back. Adding the offset gives the time of day. */
ErlDrvTime erl_drv_monotonic_time(ErlDrvTimeUnit unit);
ErlDrvTime erl_drv_time_offset(ErlDrvTimeUnit unit);
/* Rounds towards minus infinity. */
ErlDrvTime erl_drv_convert_time_unit(ErlDrvTime value, ErlDrvTimeUnit from, ErlDrvTimeUnit to);
typedef struct ErlDrvNowData {
    unsigned long megasecs;
    unsigned long secs;
    unsigned long microsecs;
} ErlDrvNowData;
int driver_get_now(ErlDrvNowData *now) ERL_DRV_DEPRECATED_FUNC;

/* The host's environment, which is not the C library's: getenv() does not see what was put. */
int erl_drv_putenv(const char *key, char *value);
/* 0 found, with *size its length; 1 the buffer is too small for *size bytes; -1 not set. */
int erl_drv_getenv(const char *key, char *value, size_t *size);

/* Open a library (".so" is appended to the path), find a symbol, close it. driver_dl_error() tells
 * why the calling thread's last driver_dl_sym() failed, and nothing of a failed open. */
void *driver_dl_open(char *path);
void *driver_dl_sym(void *handle, char *name);
int driver_dl_close(void *handle);
char *driver_dl_error(void);

/* "enoent" and so on; "unknown" for other numbers. */
char *erl_errno_id(int error);
/* Fills in as many of the fields as size has room for. */
void driver_system_info(ErlDrvSysInfo *info, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* ERL_DRIVER_H */
