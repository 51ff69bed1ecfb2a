/* The reference that every lateness stands beside: the plainest clock loop that the system's own interface allows.
 *
 *   clock_loop BPM SECONDS PRIORITY OUTPUT
 *
 * Sleeps to absolute instants, 24 per beat, each computed from the origin, and notes by how many ns it woke late. PRIORITY
 * above 0 asks for SCHED_FIFO. Memory is locked and the timer slack (50 us by default) is 1 ns where permitted. OUTPUT gets
 * native int64s: the origin, then one per tick. Exit code 0: as asked; 3: it ran, but without real-time priority. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

static const int64_t SECOND = 1000000000;

static int64_t now_ns(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * SECOND + at.tv_nsec;
}

static void sleep_until(int64_t due)
{
    struct timespec at = {.tv_sec = due / SECOND, .tv_nsec = due % SECOND};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR) {
    }
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: clock_loop BPM SECONDS PRIORITY OUTPUT\n");
        return 2;
    }
    const double period = 60e9 / (atof(argv[1]) * 24);
    const size_t ticks = (size_t)(atof(argv[2]) * SECOND / period);
    struct sched_param priority = {.sched_priority = atoi(argv[3])};
    int64_t *late = malloc((ticks + 1) * sizeof *late);
    if (!late)
        return 1;
    memset(late, 0, (ticks + 1) * sizeof *late);
    mlockall(MCL_CURRENT | MCL_FUTURE);
    prctl(PR_SET_TIMERSLACK, 1);
    const int refused = priority.sched_priority > 0 && sched_setscheduler(0, SCHED_FIFO, &priority) != 0;

    const int64_t origin = now_ns() + 20000000;
    for (size_t i = 0; i < ticks; i++) {
        const int64_t due = origin + (int64_t)(i * period);
        sleep_until(due);
        late[i] = now_ns() - due;
    }

    FILE *out = fopen(argv[4], "wb");
    if (!out || fwrite(&origin, sizeof origin, 1, out) != 1 || fwrite(late, sizeof *late, ticks, out) != ticks || fclose(out) != 0)
        return 1;
    return refused ? 3 : 0;
}
