// The whole of quarq, as a table of contents. Including the one header that is needed compiles faster.
#pragma once

#include <quarq/awaitable.hpp>  // the coroutine type
#include <quarq/codec.hpp>      // how values travel
#include <quarq/context.hpp>    // what a handler may ask and keep
#include <quarq/cron.hpp>       // when work comes round again
#include <quarq/errors.hpp>     // everything that is thrown
#include <quarq/gather.hpp>     // several coroutines at once
#include <quarq/handler.hpp>    // options of a handler
#include <quarq/job.hpp>        // one enqueued call
#include <quarq/job_state.hpp>  // the life of a job
#include <quarq/memory.hpp>     // 512_MiB
#include <quarq/outcome.hpp>    // a value or an exception
#include <quarq/queue.hpp>      // where calls are sent
#include <quarq/retry.hpp>      // retry policies
#include <quarq/run.hpp>        // from main() into coroutines
#include <quarq/task.hpp>       // a name and a signature
#include <quarq/time.hpp>       // sleep_for, with_timeout
#include <quarq/worker.hpp>     // what runs jobs
