#include "broker/redis_common/enqueue_batcher.hpp"

#include <algorithm>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <quarq/errors.hpp>

#include "base/ids.hpp"
#include "broker/redis_common/byte_limits.hpp"
#include "broker/redis_common/script_args.hpp"

namespace quarq::broker::redis_common {

namespace asio = boost::asio;

namespace {

constexpr std::size_t max_shared = 256;          // a batch with as many takes no more calls
constexpr std::chrono::minutes touch_every{1};   // how often Redis is told to remember a sender
constexpr const char* remembered_ms = "600000";  // for so long

constexpr const char* each_its_own = "+";

// ARGV[7] of enqueue.lua.
std::string tasks_of(const std::vector<packed_job>& jobs) {
  const auto& first = jobs.front().task;
  const bool alike =
      std::all_of(jobs.begin(), jobs.end(), [&](const packed_job& job) { return job.task == first; });
  if (!alike) return each_its_own;
  return first.empty() ? std::string() : "=" + first;
}

}  // namespace

struct enqueue_batcher::batch {
  explicit batch(const asio::any_io_executor& loop) : over(loop, asio::steady_timer::time_point::max()) {}
  std::string waiter;
  std::vector<packed_job> jobs;
  std::string tasks;  // for enqueue.lua, once it is sent
  std::size_t bytes = 0;
  bool done = false;
  std::string answer;  // as enqueue.lua returns it
  std::exception_ptr error;
  asio::steady_timer over;  // cancelled when done
};

// The part of a batch that belongs to one call.
struct enqueue_batcher::share {
  std::shared_ptr<batch> in;
  std::size_t first = 0, count = 0;
};

enqueue_batcher::enqueue_batcher(asio::any_io_executor loop, quarq::redis::connection& connection,
                                 const quarq::redis::script& script,
                                 std::string (*prefix_of)(std::string_view queue),
                                 quarq::redis::connection* payloads)
    : loop_(std::move(loop)),
      connection_(&connection),
      payloads_(payloads),
      script_(&script),
      prefix_of_(prefix_of),
      name_(base::make_id()) {}

awaitable<std::vector<accepted>> enqueue_batcher::enqueue(std::string queue, std::vector<packed_job> jobs,
                                                          std::string waiter) {
  std::vector<accepted> answers;
  answers.reserve(jobs.size());
  auto self = shared_from_this();
  auto shares = place(queue, std::move(jobs), waiter);
  for (auto& one : shares) {
    if (!one.in->done) {
      auto [ec] = co_await one.in->over.async_wait(asio::as_tuple(asio::use_awaitable));
      if (!one.in->done) throw boost::system::system_error(ec, "enqueue");
    }
    if (one.in->error) std::rethrow_exception(one.in->error);
    const std::string& answer = one.in->answer;
    for (std::size_t i = one.first; i < one.first + one.count; ++i) {
      answers.push_back(i < answer.size() && answer[i] == '0' ? accepted::duplicate : accepted::yes);
    }
  }
  co_return answers;
}

// Puts the jobs into batches that are about to be sent.
std::vector<enqueue_batcher::share> enqueue_batcher::place(const std::string& queue,
                                                           std::vector<packed_job> jobs,
                                                           const std::string& waiter) {
  std::vector<share> shares;
  auto current = senders_[queue].open.lock();
  if (!current || current->waiter != waiter || current->jobs.size() + jobs.size() > max_shared)
    current = new_batch(queue, waiter);
  shares.push_back({current, current->jobs.size(), 0});
  for (auto& job : jobs) {
    const auto bytes = job.record.size() + job.id.size();
    const bool full = current->jobs.size() >= max_jobs_per_call ||
                      (current->bytes + bytes > max_bytes_per_call && !current->jobs.empty());
    if (full) {
      current = new_batch(queue, waiter);
      shares.push_back({current, 0, 0});
    }
    current->bytes += bytes;
    current->jobs.push_back(std::move(job));
    ++shares.back().count;
  }
  return shares;
}

std::shared_ptr<enqueue_batcher::batch> enqueue_batcher::new_batch(const std::string& queue,
                                                                   const std::string& waiter) {
  auto made = std::make_shared<batch>(loop_);
  made->waiter = waiter;
  senders_[queue].open = made;
  asio::post(loop_, [self = shared_from_this(), queue, made] { flush(self, queue, made); });
  return made;
}

void enqueue_batcher::flush(std::shared_ptr<enqueue_batcher> self, std::string queue,
                            std::shared_ptr<batch> full) {
  auto& open = self->senders_[queue].open;
  if (open.lock() == full) open.reset();
  asio::co_spawn(self->loop_, send(self, std::move(queue), std::move(full)), asio::detached);
}

awaitable<void> enqueue_batcher::send(std::shared_ptr<enqueue_batcher> self, std::string queue,
                                      std::shared_ptr<batch> full) {
  auto& from = self->senders_[queue];
  const auto number = from.numbers.next();
  try {
    if (!self->connection_) throw broker_error("the connection to Redis was closed");
    const auto answered = from.numbers.take_answered();
    full->tasks = tasks_of(full->jobs);
    const auto args = self->arguments(from, number, answered, *full);
    const bool is_large = self->payloads_ && full->bytes > max_reply;
    auto* const over = is_large ? self->payloads_ : self->connection_;
    auto reply = co_await over->run(*self->script_, self->prefix_of_(queue), args);
    full->answer = std::move(reply.text);
  } catch (...) {
    full->error = std::current_exception();
    from.touched = {};  // the server may not have heard of it
  }
  // Answered or given up: this call will not be repeated.
  from.numbers.answered(number);
  full->done = true;
  full->over.cancel();
}

// They refer to what is given.
std::vector<std::string_view> enqueue_batcher::arguments(sender& from, std::string_view number,
                                                         std::string_view answered, const batch& full) const {
  std::vector<std::string_view> args;
  args.reserve(7 + 4 * full.jobs.size());
  args.push_back(name_);
  args.push_back(number);
  args.push_back(answered);
  const auto now = std::chrono::steady_clock::now();
  const bool touch = from.touched == decltype(now){} || now - from.touched > touch_every;
  if (touch) from.touched = now;
  args.push_back(touch ? remembered_ms : "");

  bool alike = true;
  for (const auto& job : full.jobs) alike = alike && job.packed_options == full.jobs.front().packed_options;
  args.push_back(alike ? std::string_view(full.jobs.front().packed_options) : std::string_view());
  args.push_back(full.waiter);
  args.push_back(full.tasks);
  const bool tasks_differ = full.tasks == each_its_own;
  for (const auto& job : full.jobs) {
    args.push_back(job.id);
    args.push_back(job.record);
    if (!alike) args.push_back(job.packed_options);
    if (tasks_differ) args.push_back(job.task);
  }
  return args;
}

void enqueue_batcher::reconnected() {
  for (auto& [queue, from] : senders_) from.touched = {};
}

}  // namespace quarq::broker::redis_common
