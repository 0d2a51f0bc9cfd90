// The whole of quarq, as a table of contents. Including the one header that is needed compiles faster.
#pragma once

#include <quarq/awaitable.hpp>        // the coroutine type
#include <quarq/blocking_queue.hpp>   // between threads and coroutines
#include <quarq/channel.hpp>          // values between coroutines
#include <quarq/child_main.hpp>       // the first line of main(), where children need it
#include <quarq/codec.hpp>            // how values travel
#include <quarq/context.hpp>          // what a handler may ask and keep
#include <quarq/coroutines.hpp>       // level 4: run and map on the loop
#include <quarq/cron.hpp>             // when work comes round again
#include <quarq/errors.hpp>           // everything that is thrown
#include <quarq/event.hpp>            // something that has happened
#include <quarq/gather.hpp>           // several coroutines at once
#include <quarq/handler.hpp>          // options of a handler
#include <quarq/job.hpp>              // one enqueued call
#include <quarq/job_state.hpp>        // the life of a job
#include <quarq/joinable_queue.hpp>   // between processes
#include <quarq/level.hpp>            // where a handler runs
#include <quarq/machines.hpp>         // level 1: run and map by the workers of a queue
#include <quarq/map.hpp>              // options and progress of map
#include <quarq/memory.hpp>           // 512_MiB
#include <quarq/outcome.hpp>          // a value or an exception
#include <quarq/process.hpp>          // one function in a process
#include <quarq/process_handler.hpp>  // what a process pool runs for a task
#include <quarq/process_pool.hpp>     // functions in other processes
#include <quarq/queue.hpp>            // where calls are sent
#include <quarq/retry.hpp>            // retry policies
#include <quarq/run.hpp>              // from main() into coroutines
#include <quarq/semaphore.hpp>        // at most so many at once
#include <quarq/shield.hpp>           // work that is not to be interrupted
#include <quarq/task.hpp>             // a name and a signature
#include <quarq/task_group.hpp>       // started one by one, ended together
#include <quarq/terminal_bar.hpp>     // shows the progress of a map
#include <quarq/thread_pool.hpp>      // any function, on a thread
#include <quarq/time.hpp>             // sleep_for, with_timeout
#include <quarq/worker.hpp>           // what runs jobs
