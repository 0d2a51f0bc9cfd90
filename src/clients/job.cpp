#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <quarq/detail/enqueue.hpp>
#include <quarq/errors.hpp>
#include <quarq/job.hpp>
#include <quarq/time.hpp>

#include "clients/cancel.hpp"
#include "clients/job_description.hpp"
#include "clients/queue_impl.hpp"
#include "codecs/json.hpp"
#include "model/record.hpp"

namespace quarq::detail {
namespace {

namespace asio = boost::asio;
using queue_ptr = std::shared_ptr<clients::queue_impl>;

[[noreturn]] void throw_end(job_state state, const model::outcome& o) {
  if (state == job_state::cancelled) throw cancelled(o.error);
  if (state == job_state::expired) throw job_expired(o.error);
  if (o.error_type == "quarq::timed_out") throw timed_out(o.error);
  if (o.error_type == "quarq::worker_lost") throw worker_lost(o.error);
  if (state == job_state::dead) throw retries_exhausted(o.error_type, o.error, o.attempts);
  throw job_failed(o.error_type, o.error);
}

// Static coroutines that own what they use: a handle may be gone before its awaitable is awaited.
awaitable<std::string> result_of(queue_ptr queue, std::string id,
                                 std::optional<std::chrono::milliseconds> timeout,
                                 progress_function on_progress) {
  const auto loop = co_await asio::this_coro::executor;
  auto waiting =
      on_progress ? queue->wait_ended(loop, id, std::move(on_progress)) : queue->wait_ended(loop, id);
  std::optional<broker::ended> end;
  if (timeout) {
    try {
      end = co_await with_timeout(std::move(waiting), *timeout);
    } catch (const timed_out&) {
      throw timed_out(fmt::format("job {} has not ended within {} ms", id, timeout->count()));
    }
  } else {
    end = co_await std::move(waiting);
  }
  if (!end) throw job_not_found(id);
  // Another program may have written to the store and left no outcome.
  auto o = end->outcome.empty() ? model::outcome{} : model::decode_outcome(end->outcome);
  if (o.error.empty()) {
    o.error = fmt::format("job {} {} {}", id, end->state == job_state::cancelled ? "was" : "has",
                          to_string(end->state));
  }
  if (end->state != job_state::succeeded) throw_end(end->state, o);
  co_return o.result.empty() ? to_msgpack() : std::move(o.result);
}

awaitable<job_state> state_of(queue_ptr queue, std::string id) {
  const auto loop = co_await asio::this_coro::executor;
  const auto broker = queue->on(loop);
  const auto details = co_await broker->inspect(queue->name(), id);
  if (!details) throw job_not_found(id);
  co_return details->state;
}

awaitable<job_info> info_of(queue_ptr queue, std::string id) {
  const auto loop = co_await asio::this_coro::executor;
  const auto broker = queue->on(loop);
  const auto details = co_await broker->inspect(queue->name(), id);
  if (!details) throw job_not_found(id);
  co_return clients::job_description(queue->name(), *details);
}

awaitable<cancel_outcome> cancel_of(queue_ptr queue, std::string id) {
  const auto loop = co_await asio::this_coro::executor;
  const auto broker = queue->on(loop);
  const auto answer = co_await clients::cancel(broker, queue->name(), id);
  co_return clients::to_outcome(answer);
}

}  // namespace

awaitable<std::vector<cancel_outcome>> cancel(queue_ptr queue, std::vector<std::string> ids) {
  const auto loop = co_await asio::this_coro::executor;
  const auto broker = queue->on(loop);
  const auto answers = co_await clients::cancel(broker, queue->name(), std::move(ids));
  std::vector<cancel_outcome> outcomes;
  for (const auto one : answers) outcomes.push_back(clients::to_outcome(one));
  co_return outcomes;
}

awaitable<std::string> job_handle::result(std::optional<std::chrono::milliseconds> timeout,
                                          progress_function on_progress) const {
  return result_of(queue_, id_, timeout, std::move(on_progress));
}

awaitable<job_state> job_handle::state() const {
  return state_of(queue_, id_);
}

awaitable<job_info> job_handle::info() const {
  return info_of(queue_, id_);
}

awaitable<cancel_outcome> job_handle::cancel() const {
  return cancel_of(queue_, id_);
}

}  // namespace quarq::detail
