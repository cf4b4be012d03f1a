/* link: two network namespaces and the line between them, in user space. Linux, root.
 *
 *     link RATE_BIT_PER_S DELAY_US QUEUE_BYTES LOSS_PPM LOSS_BACK_PPM SEED
 *
 * Makes a namespace with a TUN device for each end (10.77.0.1 and 10.77.0.2), says "ready FD FD" with the descriptors
 * that hold the namespaces, and carries packets until its standard input ends. A line on standard input is answered
 * with one line of JSON: what each lane has carried.
 *
 * A packet on its lane: it waits for its share of the rate, unless QUEUE_BYTES wait already (then it is dropped); it
 * may then be lost, and has used the line all the same; what is left is held for the delay. Order is kept. Everything
 * happens in one thread, which prefers the real-time class, so that a busy machine does not bend the clock.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define DEVICE "lab0"
#define MTU 1500
#define DEVICE_QUEUE 10000        /* packets; the lane's own queue is the one that counts */
#define STORE_BYTES (256u << 20)  /* of address space: pages are used as far as packets wait */
#define ROOM (sizeof(struct parcel) + 2048)
#define PARCELS_A_TURN 64
#define SECOND 1000000000LL

struct parcel {                   /* in the store, followed by its bytes */
    int64_t due;                  /* ns of the monotonic clock; -1: the store goes on at its beginning */
    uint64_t bytes;
};

struct lane {
    int from, to;
    double ns_per_byte, loss;
    int64_t delay, queue_bytes, free_at;
    uint64_t random;
    unsigned char *store;
    size_t oldest, next, used;
    uint64_t carried, carried_bytes, lost, dropped, latest;
};

static void give_up(const char *what) {
    fprintf(stderr, "link: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t clock_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

/* From 0 to 1, below 1: splitmix64. */
static double chance(struct lane *lane) {
    uint64_t z = lane->random += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

/* Ends. */

static void set_flags_up(int control, const char *device) {
    struct ifreq request = {0};
    strcpy(request.ifr_name, device);
    if (ioctl(control, SIOCGIFFLAGS, &request)) give_up("SIOCGIFFLAGS");
    request.ifr_flags |= IFF_UP;
    if (ioctl(control, SIOCSIFFLAGS, &request)) give_up("SIOCSIFFLAGS");
}

static void set_address(int control, unsigned long kind, const char *address) {
    struct ifreq request = {0};
    struct sockaddr_in *to = (struct sockaddr_in *)&request.ifr_addr;
    strcpy(request.ifr_name, DEVICE);
    to->sin_family = AF_INET;
    inet_pton(AF_INET, address, &to->sin_addr);
    if (ioctl(control, kind, &request)) give_up(address);
}

static void configure(const char *address) {
    int control = socket(AF_INET, SOCK_DGRAM, 0);
    struct ifreq request = {0};
    if (control < 0) give_up("socket");
    strcpy(request.ifr_name, DEVICE);
    request.ifr_mtu = MTU;
    if (ioctl(control, SIOCSIFMTU, &request)) give_up("SIOCSIFMTU");
    request.ifr_qlen = DEVICE_QUEUE;
    if (ioctl(control, SIOCSIFTXQLEN, &request)) give_up("SIOCSIFTXQLEN");
    set_address(control, SIOCSIFADDR, address);
    set_address(control, SIOCSIFNETMASK, "255.255.255.252");
    set_flags_up(control, DEVICE);
    set_flags_up(control, "lo");
    close(control);
}

/* A new namespace, which this process is in from then on, with one device. Returns the device. */
static int make_end(const char *address, int *namespace) {
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    int device;
    if (unshare(CLONE_NEWNET)) give_up("no new network namespace");
    *namespace = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    device = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (*namespace < 0 || device < 0) give_up("/dev/net/tun");
    strcpy(request.ifr_name, DEVICE);
    if (ioctl(device, TUNSETIFF, &request)) give_up("TUNSETIFF");
    configure(address);
    return device;
}

/* Lanes. */

static struct lane make_lane(int from, int to, char **words, double loss_ppm, uint64_t seed) {
    double rate = atof(words[0]);
    struct lane lane = {.from = from, .to = to, .loss = loss_ppm / 1e6, .random = seed};
    lane.ns_per_byte = rate > 0 ? 8e9 / rate : 0;
    lane.delay = (int64_t)(atof(words[1]) * 1e3);
    lane.queue_bytes = atoll(words[2]);
    lane.store = mmap(NULL, STORE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (lane.store == MAP_FAILED) give_up("mmap");
    return lane;
}

static struct parcel *oldest(struct lane *lane) {
    struct parcel *parcel = (struct parcel *)(lane->store + lane->oldest);
    if (!lane->used) return NULL;
    if (parcel->due >= 0) return parcel;
    lane->used -= STORE_BYTES - lane->oldest;
    lane->oldest = 0;
    return oldest(lane);
}

static size_t footprint(uint64_t bytes) { return sizeof(struct parcel) + (size_t)((bytes + 7) & ~7ull); }

/* Where the next packet can be read to, or NULL when the store is full. */
static struct parcel *vacancy(struct lane *lane) {
    if (lane->used + 2 * ROOM > STORE_BYTES) return NULL;
    if (STORE_BYTES - lane->next < ROOM) {
        if (lane->used && lane->oldest < ROOM) return NULL;
        ((struct parcel *)(lane->store + lane->next))->due = -1;
        lane->used += STORE_BYTES - lane->next;
        lane->next = 0;
    }
    return (struct parcel *)(lane->store + lane->next);
}

static void hand_over(struct lane *lane) {
    struct parcel *parcel;
    int64_t now = clock_now();
    while ((parcel = oldest(lane)) && parcel->due <= now) {
        if ((uint64_t)(now - parcel->due) > lane->latest) lane->latest = now - parcel->due;
        if (write(lane->to, parcel + 1, parcel->bytes) < 0) {
            lane->dropped++;
        } else {
            lane->carried++;
            lane->carried_bytes += parcel->bytes;
        }
        lane->used -= footprint(parcel->bytes);
        lane->oldest += footprint(parcel->bytes);
    }
}

/* When a packet that comes now has left the sender's end, or -1: the queue is full. */
static int64_t through_the_queue(struct lane *lane, uint64_t bytes, int64_t now) {
    int64_t begins = lane->free_at > now ? lane->free_at : now;
    if (lane->ns_per_byte <= 0) return now;
    if ((double)(begins - now) / lane->ns_per_byte + (double)bytes > (double)lane->queue_bytes) return -1;
    return lane->free_at = begins + (int64_t)((double)bytes * lane->ns_per_byte);
}

static void take_in(struct lane *lane) {
    struct parcel *parcel;
    for (int turn = 0; turn < PARCELS_A_TURN && (parcel = vacancy(lane)); turn++) {
        ssize_t bytes = read(lane->from, parcel + 1, ROOM - sizeof *parcel);
        if (bytes <= 0) return;
        int64_t left_at = through_the_queue(lane, bytes, clock_now());
        if (left_at < 0) {
            lane->dropped++;
        } else if (lane->loss > 0 && chance(lane) < lane->loss) {
            lane->lost++;
        } else {
            parcel->due = left_at + lane->delay;
            parcel->bytes = bytes;
            lane->next += footprint(bytes);
            lane->used += footprint(bytes);
        }
    }
}

static void tell(struct lane *lanes) {
    const char *names[] = {"there", "back"};
    for (int at = 0; at < 2; at++) {
        struct lane *lane = &lanes[at];
        printf("%s\"%s\": {\"packets\": %lu, \"bytes\": %lu, \"lost\": %lu, \"dropped\": %lu, \"latest_us\": %lu}",
               at ? ", " : "{", names[at], lane->carried, lane->carried_bytes, lane->lost, lane->dropped,
               lane->latest / 1000);
    }
    printf("}\n");
    fflush(stdout);
}

/* Answers; exits at the end of standard input. */
static void answer(struct lane *lanes) {
    char words[256];
    ssize_t length = read(0, words, sizeof words);
    if (length <= 0) exit(0);
    for (ssize_t at = 0; at < length; at++)
        if (words[at] == '\n') tell(lanes);
}

static void wait_for_something(struct lane *lanes, struct pollfd *watched) {
    int64_t first = INT64_MAX, now = clock_now();
    struct timespec pause;
    for (int at = 0; at < 2; at++) {
        struct parcel *parcel = oldest(&lanes[at]);
        if (parcel && parcel->due < first) first = parcel->due;
        watched[at].events = vacancy(&lanes[at]) ? POLLIN : 0;
    }
    first = first > now ? (first == INT64_MAX ? 10 * SECOND : first - now) : 0;
    pause.tv_sec = first / SECOND;
    pause.tv_nsec = first % SECOND;
    if (ppoll(watched, 3, &pause, NULL) < 0) watched[0].revents = watched[1].revents = watched[2].revents = 0;
}

int main(int count, char **words) {
    struct sched_param real_time = {.sched_priority = 1};
    int namespaces[2];
    if (count != 7) return 2;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_TIMERSLACK, 1);
    int ends[2] = {make_end("10.77.0.1", &namespaces[0]), make_end("10.77.0.2", &namespaces[1])};
    uint64_t seed = strtoull(words[6], NULL, 10);
    struct lane lanes[2] = {make_lane(ends[0], ends[1], words + 1, atof(words[4]), 2 * seed),
                            make_lane(ends[1], ends[0], words + 1, atof(words[5]), 2 * seed + 1)};
    struct pollfd watched[3] = {{.fd = ends[0]}, {.fd = ends[1]}, {.fd = 0, .events = POLLIN}};
    sched_setscheduler(0, SCHED_FIFO, &real_time); /* where it may; without, it is only less exact */
    printf("ready %d %d\n", namespaces[0], namespaces[1]);
    fflush(stdout);
    for (;;) {
        wait_for_something(lanes, watched);
        for (int at = 0; at < 2; at++) {
            hand_over(&lanes[at]);
            if (watched[at].revents) take_in(&lanes[at]);
        }
        if (watched[2].revents) answer(lanes);
    }
}
