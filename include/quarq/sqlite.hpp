// Enqueue inside a SQLite transaction of your own: an order and its e-mail job are both stored, or neither.
#pragma once

#include <utility>

#include <quarq/call.hpp>
#include <quarq/detail/job_handle.hpp>
#include <quarq/job.hpp>
#include <quarq/queue.hpp>

struct sqlite3;

namespace quarq {

namespace detail {
/// Throws duplicate_job if the id is taken.
job_handle enqueue_in_transaction(sqlite3* db, const queue& where, call_data call);
}  // namespace detail

namespace sqlite {

/// Stores the call through your connection `db`: inside its transaction, if one is open, so that the job
/// exists if and when that commits; in a transaction of its own otherwise. Workers wake when it commits.
///
/// REQUIRES: `where` is a queue on the same SQLite file; `db` is a connection of the SQLite library that
/// quarq is linked with. Blocks, and is not awaited; `db` is used only during the call, on this thread.
///
/// Throws duplicate_job and usage_error as queue::enqueue does, usage_error also for a queue that is not on
/// SQLite and for a `db` that is null or open on another file; broker_error if SQLite refuses (locked, full).
/// Nothing of the call is stored then, and your transaction stays open.
template <class R>
job<R> enqueue(sqlite3* db, const queue& where, call<R> c) {
  return job<R>(detail::enqueue_in_transaction(db, where, detail::call_access::take(std::move(c))));
}

}  // namespace sqlite
}  // namespace quarq
