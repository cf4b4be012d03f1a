/* sink: fetches over TCP and throws away what comes, so that the client is not what is measured.
 *
 *     sink HOST PORT LIMIT_S MARK_S < requests
 *
 * Each line of standard input is one connection's request in hexadecimal. All connect at once, say it, and read until
 * the server closes or LIMIT_S is over. Says one line of JSON: seconds from before the connections to the last byte,
 * bytes in all, connections that ended by themselves, own CPU seconds, and the bytes so far every MARK_S.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS 64
#define REQUEST_BYTES 1024
#define BUFFER_BYTES (256 * 1024)
#define TURNS 4 /* reads of one connection before the others have theirs */
#define MARKS 4096

static unsigned char buffer[BUFFER_BYTES];

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void give_up(const char *what) {
    perror(what);
    exit(1);
}

static size_t from_hex(const char *hex, unsigned char *bytes) {
    size_t count = 0;
    unsigned value;
    while (count < REQUEST_BYTES && sscanf(hex + 2 * count, "%2x", &value) == 1) bytes[count++] = (unsigned char)value;
    return count;
}

static int ask(const struct sockaddr_in *server, const unsigned char *request, size_t length) {
    int sock = socket(AF_INET, SOCK_STREAM, 0);
    if (sock < 0 || connect(sock, (const struct sockaddr *)server, sizeof *server)) give_up("connect");
    if (send(sock, request, length, 0) != (ssize_t)length) give_up("send");
    return sock;
}

int main(int count, char **words) {
    static unsigned char requests[CONNECTIONS][REQUEST_BYTES];
    static double marks[MARKS];
    struct sockaddr_in server = {.sin_family = AF_INET};
    struct epoll_event events[CONNECTIONS];
    struct rusage usage;
    size_t lengths[CONNECTIONS];
    char line[2 * REQUEST_BYTES + 2];
    int connections = 0, open = 0, marked = 0;
    double bytes = 0, began, last, limit, mark;
    if (count != 5 || inet_pton(AF_INET, words[1], &server.sin_addr) != 1) return 2;
    server.sin_port = htons((unsigned short)atoi(words[2]));
    limit = atof(words[3]);
    mark = atof(words[4]);
    while (connections < CONNECTIONS && fgets(line, sizeof line, stdin)) {
        lengths[connections] = from_hex(line, requests[connections]);
        connections++;
    }
    int epoll = epoll_create1(0);
    began = last = now();
    for (; open < connections; open++) {
        struct epoll_event event = {.events = EPOLLIN};
        event.data.fd = ask(&server, requests[open], lengths[open]);
        epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event);
    }
    while (open && now() - began < limit) {
        int ready = epoll_wait(epoll, events, CONNECTIONS, 100);
        for (int at = 0; at < ready; at++) {
            for (int turn = 0; turn < TURNS; turn++) {
                ssize_t got = recv(events[at].data.fd, buffer, sizeof buffer, MSG_DONTWAIT);
                if (got < 0 && (errno == EAGAIN || errno == EINTR)) break;
                if (got < 0) give_up("recv");
                if (!got) {
                    close(events[at].data.fd);
                    open--;
                    break;
                }
                bytes += (double)got;
                last = now();
            }
        }
        while (mark > 0 && marked < MARKS && now() - began >= (marked + 1) * mark) marks[marked++] = bytes;
    }
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"seconds\": %.6f, \"bytes\": %.0f, \"ended\": %d, \"cpu_s\": %.6f, \"marks\": [", last - began, bytes,
           connections - open,
           (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6);
    for (int at = 0; at < marked; at++) printf("%s%.0f", at ? ", " : "", marks[at]);
    printf("]}\n");
    return 0;
}
