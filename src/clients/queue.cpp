#include <cstdlib>
#include <stdexcept>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <quarq/queue.hpp>

#include "async/loop_lifetime.hpp"
#include "base/ids.hpp"
#include "broker/sqlite/transaction.hpp"
#include "clients/queue_core.hpp"
#include "model/record.hpp"

namespace quarq {
namespace detail {
namespace {

namespace asio = boost::asio;

template <class T>
void check_range(const raw_call& c, const char* option, const std::optional<T>& value, T min, T max,
                 const char* unit = "") {
  if (!value || (*value >= min && *value <= max)) return;
  const auto number = [](auto v) {
    if constexpr (requires { v.count(); })
      return static_cast<long long>(v.count());
    else
      return static_cast<long long>(v);
  };
  throw invalid_argument(fmt::format("{}: option {}: expected {} to {}{}, got {}", c.task, option,
                                     number(min), number(max), unit, number(*value)));
}

void check_options(const raw_call& c) {
  using broker::milliseconds;
  constexpr milliseconds longest = model::max_time;
  const auto& o = c.options;
  if (o.id && (o.id->empty() || o.id->size() > 255)) {
    throw invalid_argument(
        fmt::format("{}: option id: expected 1 to 255 bytes, got {}", c.task, o.id->size()));
  }
  check_range(c, "delay", std::optional(o.delay), milliseconds{0}, longest, " ms");
  check_range(c, "expires", o.expires, milliseconds{1}, longest, " ms");
  check_range(c, "priority", o.priority, broker::min_priority, broker::max_priority);
  check_range(c, "timeout", o.timeout, milliseconds{1}, longest, " ms");
  check_range(c, "tries", o.attempts, 1, 1'000'000);
  if (o.backoff) {
    check_range(c, "backoff (first pause)", std::optional(o.backoff->first()), milliseconds{0}, longest,
                " ms");
    check_range(c, "backoff (longest pause)", std::optional(o.backoff->max()), milliseconds{0}, longest,
                " ms");
  }
  if (o.keep_result) check_range(c, "keep_result", o.keep_result->duration(), milliseconds{0}, longest, " ms");
}

broker::new_job to_job(raw_call c) {
  check_options(c);
  broker::new_job job;
  job.id_is_fresh = !c.options.id;
  job.id = c.options.id ? std::move(*c.options.id) : base::make_id();
  job.priority = c.options.priority.value_or(job.priority);
  job.delay = c.options.delay;
  if (c.options.at) job.at = std::chrono::floor<broker::milliseconds>(*c.options.at);
  job.expires = c.options.expires;
  model::record r;
  r.task = std::move(c.task);
  r.arguments = std::move(c.arguments);
  r.timeout = c.options.timeout;
  r.max_attempts = c.options.attempts;
  r.backoff = c.options.backoff;
  r.keep_result = c.options.keep_result;
  r.awaited = c.options.awaited;
  job.record = model::encode(r);
  return job;
}

}  // namespace

void check_queue_name(const std::string& name) {
  const auto bad = [](unsigned char c) { return c <= ' ' || c == '{' || c == '}' || c == 0x7f; };
  if (name.empty() || name.size() > 100 || std::any_of(name.begin(), name.end(), bad)) {
    throw invalid_argument(
        fmt::format("queue name \"{}\": expected 1 to 100 characters without white space and braces", name));
  }
}

queue_core::queue_core(std::string url, std::string name, broker::open_options how)
    : url_(std::move(url)), name_(std::move(name)), how_(how) {
  check_queue_name(name_);
  broker::check_url(url_);
}

std::shared_ptr<broker::broker> queue_core::on(const asio::any_io_executor& loop) {
  auto& context = asio::query(loop, asio::execution::context);
  if (broker_ && loop_ != &context) {
    throw std::logic_error(
        "a quarq::queue belongs to the loop that first used it: give each loop a queue of its own");
  }
  if (!broker_) {
    broker_ = broker::open(url_, loop, how_);
    loop_ = &context;
    async::loop_lifetime::of(context)->add(weak_from_this());
  }
  return broker_;
}

void queue_core::loop_destroyed() noexcept {
  broker_.reset();
  loop_ = nullptr;
}

awaitable<std::vector<enqueued>> enqueue(std::shared_ptr<queue_core> queue, std::vector<raw_call> calls) {
  const auto loop = co_await asio::this_coro::executor;
  const auto broker = queue->on(loop);
  std::vector<broker::new_job> jobs;
  std::vector<enqueued> sent;
  jobs.reserve(calls.size());
  sent.reserve(calls.size());
  for (auto& c : calls) {
    jobs.push_back(to_job(std::move(c)));
    sent.push_back({jobs.back().id, false});
  }
  if (jobs.empty()) co_return sent;
  const auto answers = co_await broker->enqueue(queue->name(), std::move(jobs));
  for (std::size_t i = 0; i < sent.size(); ++i) sent[i].accepted = answers[i] == broker::accepted::yes;
  co_return sent;
}

enqueued enqueue_in_transaction(queue_core& queue, sqlite3* transaction, raw_call call) {
  if (!queue.url().starts_with("sqlite:")) {
    throw invalid_argument("enqueue within a transaction needs a sqlite: broker, and this queue's is " +
                           queue.url());
  }
  const auto job = to_job(std::move(call));
  const auto answers = broker::sqlite::enqueue_in_transaction(transaction, queue.name(), {&job, 1});
  return {job.id, answers.front() == broker::accepted::yes};
}

}  // namespace detail

std::string default_broker_url() {
  const char* url = std::getenv("QUARQ_BROKER");
  return url != nullptr && *url != '\0' ? url : "sqlite:jobs.db";
}

queue::queue(std::string broker, std::string name)
    : core_(std::make_shared<detail::queue_core>(std::move(broker), std::move(name))) {}

const std::string& queue::name() const noexcept {
  return core_->name();
}
const std::string& queue::broker_url() const noexcept {
  return core_->url();
}

}  // namespace quarq
