// A queue over HTTP, for programs in any language.
#pragma once

#include <chrono>

#include <quarq/http/server.hpp>
#include <quarq/queue.hpp>

namespace quarq::rpc {

struct gateway_options {
  /// The longest that a request may wait for a job's end.
  std::chrono::milliseconds max_wait = std::chrono::minutes(1);
  /// How often a stream of events looks at a job that has not ended.
  std::chrono::milliseconds look_interval{500};
};

/// Lets the server answer, beside its other routes:
///   - `POST /jobs/TASK`: enqueues a job; the arguments as in POST /rpc/TASK. 202 with its id, and Location
///   - `GET /jobs/ID?wait=10s`: its state and result, at the latest when it has ended or the time is over
///   - `DELETE /jobs/ID`: cancels it
///   - `GET /jobs/ID/events`: its states, as server-sent events
/// It knows no task: any name is enqueued, and what is wrong with the arguments its worker says. docs/rpc.md has the
/// options and answers.
///
/// The queue is used on the server's loop. Who may call this may run any task: add an authentication.
void serve_jobs(http::server& by, queue where, gateway_options options = {});

}  // namespace quarq::rpc
