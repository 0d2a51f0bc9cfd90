#include "broker/redis_common/result_waiters.hpp"

#include <algorithm>
#include <chrono>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <quarq/errors.hpp>

#include "base/ids.hpp"
#include "broker/redis_common/byte_limits.hpp"
#include "broker/redis_common/scoped_timer_handle.hpp"
#include "broker/redis_common/script_args.hpp"

namespace quarq::broker::redis_common {

namespace asio = boost::asio;

namespace {

constexpr double last_call_counts = 1.0 / 16;  // in the likelihood of a wait
constexpr std::size_t max_prefetched = 1000;   // jobs that are waited for before anybody asked
constexpr std::size_t max_kept_end = 1 << 16;  // bytes; of a longer one is asked again

// `end` is the digit of the state, or - for a job that is not there, and the outcome.
std::optional<std::string> read_end(std::string_view end) {
  if (end.empty() || end[0] == '-') return std::nullopt;
  return std::string(end);
}

}  // namespace

struct result_waiters::waiter {
  explicit waiter(const asio::any_io_executor& loop) : over(loop, asio::steady_timer::time_point::max()) {}
  bool done = false;
  std::optional<std::string> end;
  std::exception_ptr error;
  asio::steady_timer over;  // cancelled when done
};

// Keeps a waiter in the table; it stands in the frame of the coroutine that waits, and goes with it.
struct result_waiters::registration {
  registration(std::shared_ptr<result_waiters> in, std::string queue, std::string id, waiter& one)
      : in_(std::move(in)), queue_(std::move(queue)), id_(std::move(id)), one_(&one) {
    in_->begin_wait();
    auto& job = in_->queues_[queue_].by_id[id_];
    if (job.waiters.empty()) {
      job.pause = in_->ask_again_after_;
      job.ask_at = std::chrono::steady_clock::now() + job.pause;
    }
    job.waiters.push_back(one_);
  }
  registration(const registration&) = delete;
  registration& operator=(const registration&) = delete;
  ~registration() {
    in_->end_wait();
    auto& by_id = in_->queues_[queue_].by_id;
    const auto found = by_id.find(id_);
    if (found == by_id.end()) return;
    std::erase(found->second.waiters, one_);
    if (found->second.waiters.empty()) by_id.erase(found);
  }

 private:
  std::shared_ptr<result_waiters> in_;
  std::string queue_, id_;
  waiter* one_;
};

result_waiters::result_waiters(asio::any_io_executor loop, quarq::redis::connection& connection,
                               const quarq::redis::script& script,
                               std::string (*prefix_of)(std::string_view queue), milliseconds ask_again_after,
                               quarq::redis::connection* payloads, milliseconds longest_pause)
    : loop_(std::move(loop)),
      connection_(&connection),
      payloads_(payloads),
      script_(&script),
      prefix_of_(prefix_of),
      name_(base::make_id()),
      ask_again_after_(ask_again_after),
      longest_pause_(std::max(longest_pause, ask_again_after)) {}

awaitable<std::optional<std::string>> result_waiters::wait(std::string queue, std::string id) {
  auto& in = queues_[queue];
  in.likelihood = std::min(1.0, in.likelihood + last_call_counts);
  const auto known = in.prefetched.find(id);
  const bool asked = known != in.prefetched.end();
  if (asked) {
    const auto end = std::move(known->second);
    in.prefetched.erase(known);
    if (end) co_return read_end(*end);
    begin_to_ask_now_and_then();
  }
  waiter me(loop_);
  registration registered(shared_from_this(), queue, id, me);
  if (!asked && in.by_id[id].waiters.size() == 1) ask(queue, id);
  auto [ec] = co_await me.over.async_wait(asio::as_tuple(asio::use_awaitable));
  if (!me.done) throw boost::system::system_error(ec, "wait_ended");
  if (me.error) std::rethrow_exception(me.error);
  co_return std::move(me.end);
}

// A connection that rests hears of ends only while they are waited for.
void result_waiters::begin_wait() {
  if (waiting_++ > 0 || !connection_) return;
  connection_->expect_messages(true);
  if (std::exchange(hears_of_rest_, true)) return;
  connection_->on_rest([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && self->again_) self->again_->cancel();
  });
}

void result_waiters::end_wait() {
  if (--waiting_ == 0 && connection_) connection_->expect_messages(false);
}

bool result_waiters::expects_wait(const std::string& queue) {
  auto& in = queues_[queue];
  in.likelihood *= 1 - last_call_counts;
  return in.subscribed && in.likelihood > 0.5;
}

void result_waiters::prefetched(const std::string& queue, const std::string& id) {
  auto& in = queues_[queue];
  if (!in.prefetched.try_emplace(id).second) return;
  in.prefetched_order.push_back(id);
  if (in.prefetched_order.size() <= max_prefetched) return;
  in.prefetched.erase(in.prefetched_order.front());
  in.prefetched_order.pop_front();
}

// ---- asking

// Questions of one turn of the loop go together.
void result_waiters::ask(const std::string& queue, std::string id) {
  auto& in = queues_[queue];
  in.to_ask.push_back(std::move(id));
  if (in.asking) return;
  in.asking = true;
  asio::post(loop_, [self = shared_from_this(), queue] {
    asio::co_spawn(self->loop_, send(self, queue), asio::detached);
  });
}

void result_waiters::ask_all() {
  for (auto& [queue, in] : queues_) {
    for (const auto& [id, job] : in.by_id) ask(queue, id);
  }
}

void result_waiters::ask_those_due() {
  const auto now = std::chrono::steady_clock::now();
  for (auto& [queue, in] : queues_) {
    for (auto& [id, job] : in.by_id) {
      if (job.ask_at > now) continue;
      job.pause = std::min(2 * job.pause, longest_pause_);
      job.ask_at = now + job.pause;
      ask(queue, id);
    }
  }
}

awaitable<void> result_waiters::send(std::shared_ptr<result_waiters> self, std::string queue) {
  auto& in = self->queues_[queue];
  in.asking = false;
  auto ids = std::exchange(in.to_ask, {});
  // Both are sent at once: Redis subscribes us before it reads the question.
  if (!in.subscribed) {
    in.subscribed = true;
    asio::co_spawn(self->loop_, subscribe(self, queue), asio::detached);
  }
  for (std::size_t i = 0; i < ids.size(); i += max_jobs_per_call) {
    const auto last = std::min(ids.size(), i + max_jobs_per_call);
    std::vector<std::string> some(std::make_move_iterator(ids.begin() + static_cast<std::ptrdiff_t>(i)),
                                  std::make_move_iterator(ids.begin() + static_cast<std::ptrdiff_t>(last)));
    asio::co_spawn(self->loop_, question(self, queue, std::move(some)), asio::detached);
  }
  self->begin_to_ask_now_and_then();
  co_return;
}

awaitable<void> result_waiters::subscribe(std::shared_ptr<result_waiters> self, std::string queue) {
  if (!self->connection_) co_return;
  std::weak_ptr<result_waiters> weak = self;
  std::function<void(std::string_view)> receive = [weak, queue](std::string_view message) {
    if (auto waits = weak.lock()) waits->on_message(queue, message);
  };
  try {
    auto channel = self->prefix_of_(queue) + "client:" + self->name_;
    co_await self->connection_->subscribe(std::move(channel), std::move(receive));
  } catch (const std::exception&) {
    // Waiters receive the query's error; the next wait subscribes again.
    self->queues_[queue].subscribed = false;
  }
}

struct result_waiters::reply_limits {
  quarq::redis::connection* over;
  std::size_t one, all;  // bytes of an outcome, and of the reply
};

// Asks once. Returns the ids of jobs that have ended, but whose outcomes are too large for this reply.
awaitable<std::vector<std::string>> result_waiters::put(std::string queue, std::vector<std::string> ids,
                                                        reply_limits limits) {
  std::vector<std::string> keys(1, prefix_of_(queue));
  std::vector<std::string> args(1, name_);
  if (payloads_) {
    args.push_back(std::to_string(limits.one));
    args.push_back(std::to_string(limits.all));
  }
  args.insert(args.end(), ids.begin(), ids.end());
  auto reply = co_await limits.over->run(*script_, std::move(keys), std::move(args));
  if (reply.items.size() != ids.size()) throw broker_error("Redis answered a wait with something else");
  std::vector<std::string> too_large;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto& answer = reply.items[i];
    if (answer.type == quarq::redis::reply::kind::text) {
      notify(queue, ids[i], answer.text);
    } else if (answer.integer == 1) {
      notify(queue, ids[i], "-");
    } else if (answer.integer == 2) {
      too_large.push_back(std::move(ids[i]));
    }
  }
  co_return too_large;
}

awaitable<void> result_waiters::question(std::shared_ptr<result_waiters> self, std::string queue,
                                         std::vector<std::string> ids) {
  ++self->unanswered_;
  try {
    reply_limits limits{self->connection_, max_shared_payload, max_reply};
    auto left = ids;
    while (!left.empty()) {
      if (!self->connection_) throw broker_error("the connection to Redis was closed");
      left = co_await self->put(queue, std::move(left), limits);
      limits = {self->payloads_, max_stored_payload, max_payload_reply};
    }
  } catch (...) {
    for (const auto& id : ids) self->fail(queue, id, std::current_exception());
  }
  --self->unanswered_;
}

void result_waiters::begin_to_ask_now_and_then() {
  if (!again_) asio::co_spawn(loop_, ask_now_and_then(shared_from_this()), asio::detached);
}

// Runs while there are waiters. The timer belongs to the coroutine, so that the loop's end takes it
// along.
awaitable<void> result_waiters::ask_now_and_then(std::shared_ptr<result_waiters> self) {
  asio::steady_timer timer(self->loop_);
  const scoped_timer_handle known(self->again_, timer);
  bool somebody = true;
  while (somebody && self->connection_) {
    timer.expires_after(self->ask_again_after_);
    auto [ec] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    somebody = false;
    for (const auto& [queue, in] : self->queues_) somebody = somebody || !in.by_id.empty();
    // Answers that come slowly must not pile up: the server would close the connection.
    if (!ec && self->connection_ && self->unanswered_ == 0) self->ask_those_due();
  }
}

void result_waiters::reconnected() {
  // Messages sent meanwhile are lost: the waiters for these must ask.
  for (auto& [queue, in] : queues_) std::erase_if(in.prefetched, [](const auto& one) { return !one.second; });
  ask_all();
}

void result_waiters::close() {
  connection_ = nullptr;
  if (again_) again_->cancel();
}

// ---- being told

// The message's bytes: tell() in shared_tell.lua.
void result_waiters::on_message(const std::string& queue, std::string_view message) {
  const auto number = [&message](std::size_t bytes) {
    std::size_t value = 0;
    for (std::size_t i = 0; i < bytes && i < message.size(); ++i) {
      value = value << 8 | static_cast<unsigned char>(message[i]);
    }
    message.remove_prefix(std::min(bytes, message.size()));
    return value;
  };
  const auto text = [&message](std::size_t bytes) {
    const auto found = message.substr(0, bytes);
    message.remove_prefix(found.size());
    return found;
  };
  while (!message.empty()) {
    const std::string id(text(number(2)));
    std::string end(text(1));
    end += text(number(4));
    if (end == "!") {
      fetch(queue, id);
    } else {
      notify(queue, id, end);
    }
  }
}

// The job has ended, and its outcome is too large for a message.
void result_waiters::fetch(const std::string& queue, const std::string& id) {
  auto& in = queues_[queue];
  in.prefetched.erase(id);
  if (in.by_id.contains(id)) ask(queue, id);
}

void result_waiters::notify(const std::string& queue, const std::string& id, std::string_view end) {
  const auto waiters = take(queue, id);
  for (auto* one : waiters) {
    one->end = read_end(end);
    one->done = true;
    one->over.cancel();
  }
  if (!waiters.empty()) return;
  auto& prefetched = queues_[queue].prefetched;
  const auto found = prefetched.find(id);
  if (found == prefetched.end()) return;
  if (end.size() > max_kept_end) {
    prefetched.erase(found);
  } else {
    found->second = end;
  }
}

void result_waiters::fail(const std::string& queue, const std::string& id, std::exception_ptr error) {
  for (auto* one : take(queue, id)) {
    one->error = error;
    one->done = true;
    one->over.cancel();
  }
}

std::vector<result_waiters::waiter*> result_waiters::take(const std::string& queue, const std::string& id) {
  auto& by_id = queues_[queue].by_id;
  const auto found = by_id.find(id);
  if (found == by_id.end()) return {};
  auto waiters = std::move(found->second.waiters);
  by_id.erase(found);
  return waiters;
}

}  // namespace quarq::broker::redis_common
