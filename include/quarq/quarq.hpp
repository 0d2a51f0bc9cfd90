// The table of contents: all of quarq but <quarq/sqlite.hpp>. Including only what you need compiles faster;
// docs/headers.md says where to start.
#pragma once

// Jobs
#include <quarq/call.hpp>         // a task with its arguments and options
#include <quarq/client.hpp>       // a queue for code that blocks
#include <quarq/context.hpp>      // what a handler knows of its job
#include <quarq/cron.hpp>         // recurring jobs
#include <quarq/handler.hpp>      // the options of a handler
#include <quarq/handlers.hpp>     // those of a worker and of a server of RPC
#include <quarq/job.hpp>          // one enqueued call: await its result, cancel it
#include <quarq/job_filter.hpp>   // which jobs of a queue
#include <quarq/job_info.hpp>     // what is known of a job
#include <quarq/job_list.hpp>     // a part of a queue's jobs
#include <quarq/job_state.hpp>    // the states of a job
#include <quarq/level.hpp>        // where a handler runs
#include <quarq/queue.hpp>        // where calls are sent
#include <quarq/queue_stats.hpp>  // what has happened in a queue
#include <quarq/retention.hpp>    // how long results are kept
#include <quarq/retry.hpp>        // retry policies
#include <quarq/task.hpp>         // a name and a signature
#include <quarq/worker.hpp>       // runs jobs

// Where work runs, from this loop to other machines
#include <quarq/child_main.hpp>       // the first line of main(), where children need it
#include <quarq/coroutines.hpp>       // level 4: run and map on this loop
#include <quarq/machines.hpp>         // level 1: run and map by the workers of a queue
#include <quarq/map.hpp>              // options and progress of map
#include <quarq/process.hpp>          // one function in a process of its own
#include <quarq/process_handler.hpp>  // what a process pool runs for a task
#include <quarq/process_pool.hpp>     // level 2: functions in child processes
#include <quarq/terminal_bar.hpp>     // shows the progress of a map
#include <quarq/thread_pool.hpp>      // level 3: any function on a thread

// Coroutines
#include <quarq/awaitable.hpp>   // the coroutine type
#include <quarq/gather.hpp>      // several at once
#include <quarq/outcome.hpp>     // a value or an exception
#include <quarq/run.hpp>         // from main() into coroutines
#include <quarq/shield.hpp>      // work that must not be interrupted
#include <quarq/task_group.hpp>  // started one by one, ended together
#include <quarq/time.hpp>        // sleep_for, with_timeout

// Between coroutines, threads and processes
#include <quarq/blocking_queue.hpp>  // between threads and coroutines
#include <quarq/channel.hpp>         // between coroutines
#include <quarq/event.hpp>           // something that has happened
#include <quarq/joinable_queue.hpp>  // between processes
#include <quarq/rate_limiter.hpp>    // at most so many a second
#include <quarq/semaphore.hpp>       // at most so many at once

// Values and errors
#include <quarq/bytes.hpp>    // bytes that are not text
#include <quarq/codec.hpp>    // how values travel
#include <quarq/errors.hpp>   // every exception that quarq throws
#include <quarq/memory.hpp>   // 512_MiB
#include <quarq/msgpack.hpp>  // for codecs of your own

// While you write your program
#include <quarq/debug.hpp>        // expressions and their values, printed
#include <quarq/debug_timer.hpp>  // how long a scope took
