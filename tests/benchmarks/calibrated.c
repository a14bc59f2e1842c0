/* An HTTP server whose service times are planned and known: it never sleeps, serves every request for its
   planned time, and writes down what it really took. Usage: calibrated LOG; prints its port. SIGTERM ends
   it, as does a quarter of an hour.
   It serves any number of requests side by side: none waits for another one's end.

   Requests take 0.2 ms and an exponential share with a mean of 1 ms (p50 0.9 ms, p95 3.2, p99 4.8, p99.9 7.1),
   drawn evenly: every stretch of requests has the same distribution, and no percentile stands at a cliff of it.
   The time goes from the read of the request to the write of the answer, whose header X-Service-Ns tells it. LOG
   gets one 64-bit count of nanoseconds per request. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MANY (1 << 16)
#define MOST 4000000
#define LONGEST_S 900

static const char answer[] =
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\nX-Service-Ns: 0000000000\r\n\r\nok";
#define AFTER_NUMBER (sizeof "\r\n\r\nok" - 1)

struct waiting { long due, began; int fd; };
static struct waiting heap[MANY];
static int size;
static long *took;
static long served;
static volatile sig_atomic_t ended;

static void end(int signal) { ended = signal; }

static long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000L + t.tv_nsec;
}

static long planned(long number) {
    double drawn = fmod((number + 1) * 0.6180339887498949, 1); /* the golden ratio's multiples fill 0..1 evenly */
    return 200000 - 1000000 * log(1 - drawn);
}

static long reply(int fd, long began) {
    char text[sizeof answer];
    memcpy(text, answer, sizeof answer);
    long spent = now() - began, rest = spent;
    for (char *at = text + sizeof answer - 1 - AFTER_NUMBER; rest; rest /= 10) *--at = '0' + rest % 10;
    return write(fd, text, sizeof answer - 1) > 0 ? spent : -1;
}

static void push(struct waiting one) {
    int at = size++;
    while (at && heap[(at - 1) / 2].due > one.due) { heap[at] = heap[(at - 1) / 2]; at = (at - 1) / 2; }
    heap[at] = one;
}

static struct waiting pop(void) {
    struct waiting first = heap[0], last = heap[--size];
    int at = 0;
    for (;;) {
        int child = 2 * at + 1;
        if (child >= size) break;
        if (child + 1 < size && heap[child + 1].due < heap[child].due) child++;
        if (heap[child].due >= last.due) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = last;
    return first;
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    signal(SIGTERM, end);
    signal(SIGALRM, end);
    alarm(LONGEST_S);
    took = malloc(MOST * sizeof *took);
    int listener = socket(AF_INET, SOCK_STREAM, 0), poll = epoll_create1(0), on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (bind(listener, (void *)&address, length) || listen(listener, 4096)) return 1;
    getsockname(listener, (void *)&address, &length);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    long numbers = 0;
    char request[4096];
    while (!ended) {
        int ready = epoll_wait(poll, events, 256, 0);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                int client = accept4(listener, 0, 0, SOCK_NONBLOCK);
                setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                event.data.fd = client;
                epoll_ctl(poll, EPOLL_CTL_ADD, client, &event);
                continue;
            }
            long began = now();
            /* what is not a request, such as a TLS handshake that asks what this port speaks, is not served */
            if (read(fd, request, sizeof request) <= 0 || request[0] != 'G') { close(fd); continue; }
            if (size < MANY) push((struct waiting){began + planned(numbers++), began, fd});
        }
        while (size && heap[0].due <= now()) {
            struct waiting one = pop();
            long spent = reply(one.fd, one.began);
            if (spent >= 0 && served < MOST) took[served++] = spent;
        }
    }
    FILE *log = fopen(argv[1], "wb");
    fwrite(took, sizeof *took, served, log);
    fclose(log);
    return 0;
}
