#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>
#include <stdexcept>
#include <utility>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <quarq/errors.hpp>
#include <quarq/gather.hpp>
#include <quarq/queue.hpp>
#include <quarq/shield.hpp>

#include "async/activity.hpp"
#include "async/loop_lifetime.hpp"
#include "base/log.hpp"
#include "broker/place.hpp"
#include "clients/enqueue_spans.hpp"
#include "clients/job_description.hpp"
#include "clients/job_filter.hpp"
#include "clients/job_list.hpp"
#include "clients/new_job.hpp"
#include "clients/paused_crons.hpp"
#include "clients/queue_impl.hpp"
#include "clients/wait_in_job.hpp"
#include "clients/worker_connection.hpp"

namespace quarq {

namespace asio = boost::asio;

namespace clients {

void check_queue_name(const std::string& name) {
  const auto bad = [](unsigned char c) { return c <= ' ' || c == '{' || c == '}' || c == 0x7f; };
  if (name.empty() || name.size() > 100 || std::any_of(name.begin(), name.end(), bad)) {
    throw usage_error(
        fmt::format("queue name \"{}\": expected 1 to 100 characters without white space and braces", name));
  }
}

queue_impl::queue_impl(std::string url, std::string name, broker::open_options how)
    : url_(std::move(url)), name_(std::move(name)), how_(how) {
  check_queue_name(name_);
  broker::check_url(url_);
}

const enqueue_operations& queue_impl::traced() {
  // sqlite::enqueue may come first, on a thread of the user's.
  std::call_once(traced_once_, [this] {
    const auto at = broker::place_of(url_);
    const auto of = [&](std::string_view verb, span_kind kind) {
      return trace::operation_on(verb, kind, name_, at);
    };
    traced_.emplace(enqueue_operations{of(trace::verb_send, span_kind::producer),
                                       of(trace::verb_create, span_kind::producer),
                                       of(trace::verb_send, span_kind::client)});
  });
  return *traced_;
}

std::string worker_has_ended(std::string_view queue) {
  return fmt::format(
      "queue {} of a quarq::context: its worker has ended, and with it the connection: make a quarq::queue "
      "of "
      "your own",
      queue);
}

std::shared_ptr<broker::broker> queue_impl::on(const asio::any_io_executor& loop) {
  auto& context = asio::query(loop, asio::execution::context);
  if (broker_ && loop_ != &context) {
    throw std::logic_error(
        borrows_
            ? "a queue of a quarq::context belongs to its worker's loop, and this is another: make a "
              "quarq::queue of its own here"
            : "a quarq::queue belongs to the loop that first used it: give each loop a queue of its own");
  }
  if (!broker_ && borrows_) throw usage_error(worker_has_ended(name_));
  if (!broker_) use(broker::open(url_, loop, how_), loop);
  return broker_;
}

void queue_impl::use(std::shared_ptr<broker::broker> broker, const asio::any_io_executor& loop) {
  broker_ = std::move(broker);
  const auto log = [](const std::string& line) { base::log().warn("{}", line); };
  watch_ = std::make_shared<wait_watch>(async::without_activity(loop), broker_, name_, tell_ ? tell_ : log);
  loop_ = &asio::query(loop, asio::execution::context);
  async::loop_lifetime::of(*loop_)->add(weak_from_this());
}

awaitable<std::optional<broker::ended>> queue_impl::wait_ended(asio::any_io_executor loop, std::string id) {
  const auto broker = on(loop);
  const wait_watch::wait watched(watch_, id);
  const wait_in_job noted(loop, name_, id);
  auto end = co_await broker->wait_ended(name_, id);
  co_return end;
}

awaitable<std::optional<broker::ended>> queue_impl::wait_ended(asio::any_io_executor loop, std::string id,
                                                               detail::progress_function on_progress) {
  const auto broker = on(loop);
  if (!progress_) progress_ = std::make_shared<progress_watch>(async::without_activity(loop), broker, name_);
  auto reporting = progress_watch::report(progress_, id, std::move(on_progress));
  auto first = co_await when_any(wait_ended(loop, id), std::move(reporting));
  co_return std::get<0>(std::move(first));
}

void queue_impl::borrow(std::shared_ptr<broker::broker> broker, const asio::any_io_executor& loop) {
  borrows_ = true;
  use(std::move(broker), loop);
}

void queue_impl::close() noexcept {
  if (!borrows_) let_go();
}

void queue_impl::let_go() noexcept {
  if (watch_) watch_->close();
  watch_.reset();
  if (progress_) progress_->close();
  progress_.reset();
  broker_.reset();
  loop_ = nullptr;
}

void queue_impl::loop_destroyed() noexcept {
  let_go();
}

}  // namespace clients

namespace detail {

const std::shared_ptr<clients::queue_impl>& queue_access::impl(const queue& q) noexcept {
  return q.impl_;
}

queue queue_access::make(std::shared_ptr<clients::queue_impl> impl) {
  return queue(std::move(impl));
}

awaitable<std::vector<enqueued>> enqueue(std::shared_ptr<clients::queue_impl> queue,
                                         std::vector<call_data> calls) {
  const auto loop = co_await asio::this_coro::executor;
  const auto broker = queue->on(loop);
  std::vector<broker::new_job> jobs;
  std::vector<enqueued> sent;
  jobs.reserve(calls.size());
  sent.reserve(calls.size());
  std::unique_ptr<clients::enqueue_spans> spans;
  if (trace::is_on())
    spans = clients::enqueue_spans::begin(*queue, calls, clients::enqueue_spans::job_of(loop));
  for (auto& c : calls) {
    jobs.push_back(clients::to_job(std::move(c)));
    sent.push_back({jobs.back().id, false});
  }
  if (jobs.empty()) co_return sent;
  auto sending = broker->enqueue(queue->name(), std::move(jobs));
  if (spans) sending = clients::enqueue_spans::watch(*spans, std::move(sending));
  const auto answers = co_await std::move(sending);
  for (std::size_t i = 0; i < sent.size(); ++i) sent[i].accepted = answers[i] == broker::accepted::yes;
  if (spans) spans->ended(sent);
  co_return sent;
}

// Also where the parent is cancelled meanwhile: once they are sent, their ids must be known.
awaitable<std::vector<enqueued>> enqueue(std::shared_ptr<clients::queue_impl> queue,
                                         std::vector<call_data> calls,
                                         std::shared_ptr<clients::child_jobs> parents) {
  auto sending = enqueue(queue, std::move(calls));
  if (!parents) {
    auto sent = co_await std::move(sending);
    co_return sent;
  }
  auto sent = co_await shield(std::move(sending));
  std::vector<clients::child_job> children;
  for (const auto& one : sent) {
    if (one.accepted) children.push_back({queue, one.id});
  }
  parents->add(std::move(children));
  co_return sent;
}

namespace {

using queue_ptr = std::shared_ptr<clients::queue_impl>;

awaitable<cancelled_jobs> cancel_in(queue_ptr queue, clients::owned_filter which) {
  which.limit_to(clients::open_states, "cancel");
  const auto loop = co_await asio::this_coro::executor;
  const auto broker = queue->on(loop);
  const auto done = co_await clients::cancel_matching(broker, queue->name(), std::move(which));
  co_return done;
}

awaitable<std::size_t> requeue_in(queue_ptr queue, clients::owned_filter which) {
  which.limit_to(job_state::dead, "requeue");
  const auto loop = co_await asio::this_coro::executor;
  const auto broker = queue->on(loop);
  const auto count = co_await clients::requeue_matching(broker, queue->name(), std::move(which));
  co_return count;
}

awaitable<std::size_t> purge_in(queue_ptr queue, clients::owned_filter which) {
  if (which.states.empty()) {
    throw usage_error("purge: it is for jobs in the states that the filter names, and it names none");
  }
  which.limit_to(clients::purgeable_states, "purge");
  const auto loop = co_await asio::this_coro::executor;
  const auto broker = queue->on(loop);
  const auto count = co_await clients::purge_matching(broker, queue->name(), std::move(which));
  co_return count;
}

awaitable<job_list> list_in(queue_ptr queue, clients::owned_filter which, clients::owned_list_options how) {
  which.limit_to(clients::all_job_states, "list");
  const auto loop = co_await asio::this_coro::executor;
  const auto broker = queue->on(loop);
  auto found = co_await clients::list_matching(broker, queue->name(), std::move(which), std::move(how));
  job_list list;
  static_cast<list_progress&>(list) = std::move(static_cast<list_progress&>(found));
  for (const auto& job : found.jobs) list.jobs.push_back(clients::job_description(queue->name(), job));
  co_return list;
}

awaitable<job_count> count_in(queue_ptr queue, clients::owned_filter which, clients::owned_list_options how) {
  which.limit_to(clients::all_job_states, "count");
  const auto loop = co_await asio::this_coro::executor;
  const auto broker = queue->on(loop);
  auto counted = co_await clients::count_matching(broker, queue->name(), std::move(which), std::move(how));
  co_return counted;
}

/// Counted together, `step` at a time.
std::vector<task_minute> folded(std::vector<task_minute> all, task_minute::time_point from,
                                std::chrono::minutes step) {
  std::map<std::pair<task_minute::time_point, std::string>, task_stats> sums;
  for (auto& one : all) sums[{from + (one.minute - from) / step * step, std::move(one.task)}].add(one.counts);
  all.clear();
  for (auto& [where, counts] : sums) all.push_back({where.first, where.second, counts});
  return all;
}

}  // namespace

awaitable<std::size_t> purge(queue_ptr queue, const job_filter& which) {
  return purge_in(std::move(queue), clients::owned_filter(which));
}

awaitable<job_list> list(queue_ptr queue, const job_filter& which, const list_options& how) {
  return list_in(std::move(queue), clients::owned_filter(which), clients::owned_list_options(how));
}

awaitable<job_count> count(queue_ptr queue, const job_filter& which, const list_options& how) {
  return count_in(std::move(queue), clients::owned_filter(which), clients::owned_list_options(how));
}

awaitable<std::vector<task_minute>> stats(queue_ptr queue, std::chrono::system_clock::time_point from,
                                          std::chrono::system_clock::time_point until,
                                          std::chrono::minutes step) {
  using std::chrono::minutes;
  if (step < minutes(1)) throw usage_error("stats: step: expected a minute or more");
  const auto loop = co_await asio::this_coro::executor;
  const auto broker = queue->on(loop);
  // What is older is not there; and this machine's clock may differ from the broker's.
  const auto now = std::chrono::system_clock::now();
  constexpr std::chrono::hours margin{1};
  const auto first = std::chrono::floor<minutes>(std::max(from, now - stats_kept - margin));
  const auto last = std::chrono::ceil<minutes>(std::min(until, now + margin));
  auto all = co_await broker->stats(queue->name(), first, last);
  if (step > minutes(1)) all = folded(std::move(all), first, step);
  co_return all;
}

awaitable<cancelled_jobs> cancel(queue_ptr queue, const job_filter& which) {
  return cancel_in(std::move(queue), clients::owned_filter(which));
}

awaitable<std::size_t> requeue(queue_ptr queue, const job_filter& which) {
  return requeue_in(std::move(queue), clients::owned_filter(which));
}

awaitable<bool> set_paused(queue_ptr queue, bool paused) {
  const auto loop = co_await asio::this_coro::executor;
  const auto broker = queue->on(loop);
  const bool changed = co_await broker->set_paused(queue->name(), paused);
  co_return changed;
}

awaitable<bool> is_paused(queue_ptr queue) {
  const auto loop = co_await asio::this_coro::executor;
  const auto broker = queue->on(loop);
  const bool paused = co_await broker->is_paused(queue->name());
  co_return paused;
}

awaitable<bool> set_cron_paused(queue_ptr queue, std::string name, bool paused) {
  const auto loop = co_await asio::this_coro::executor;
  const auto broker = queue->on(loop);
  const bool changed = co_await clients::set_cron_paused(broker, queue->name(), std::move(name), paused);
  co_return changed;
}

awaitable<std::vector<std::string>> paused_crons(queue_ptr queue) {
  const auto loop = co_await asio::this_coro::executor;
  const auto broker = queue->on(loop);
  auto names = co_await clients::paused_crons(*broker, queue->name());
  co_return names;
}

}  // namespace detail

std::string default_broker_url() {
  const char* url = std::getenv("QUARQ_BROKER");
  return url != nullptr && *url != '\0' ? url : "sqlite:jobs.db";
}

queue::queue(std::string broker, std::string name)
    : impl_(std::make_shared<clients::queue_impl>(std::move(broker), std::move(name),
                                                  broker::open_options{.rests_when_idle = true})) {}

void queue::close() {
  impl_->close();
}

const std::string& queue::name() const noexcept {
  return impl_->name();
}
const std::string& queue::broker_url() const noexcept {
  return impl_->url();
}

}  // namespace quarq
