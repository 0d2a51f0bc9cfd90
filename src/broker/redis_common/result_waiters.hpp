// Waiters for the end of jobs: asked after in batches, notified by published messages.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "broker/broker.hpp"
#include "redis/connection.hpp"

namespace quarq::broker::redis_common {

/// Redis is asked once for each job, and then tells of its end over a channel of our own. Messages can get
/// lost with a connection, so all is asked again after each reconnect, and now and then besides: each time
/// after twice the pause, where the layout says that nothing else makes that necessary.
class result_waiters : public std::enable_shared_from_this<result_waiters> {
 public:
  /// `script` answers as wait.lua does. `prefix_of` gives a queue's KEYS[1], with which our channel begins.
  /// With `payloads`, a connection without subscriptions, the script takes the limits of a reply, and what is
  /// too large for `connection` comes over that one. The pause between two questions for the same job doubles
  /// up to `longest_pause`, if that is longer.
  result_waiters(boost::asio::any_io_executor loop, quarq::redis::connection& connection,
                 const quarq::redis::script& script, std::string (*prefix_of)(std::string_view queue),
                 milliseconds ask_again_after = std::chrono::seconds(10),
                 quarq::redis::connection* payloads = nullptr, milliseconds longest_pause = {});

  /// The digit of the state, or what else stands for one, and the outcome. Nothing: there is no such job, or
  /// its outcome is not kept.
  awaitable<std::optional<std::string>> wait(std::string queue, std::string id);

  /// The name under which we are notified of ends.
  const std::string& name() const { return name_; }
  /// A job is about to be enqueued alone: whether it is worth to say at once that we wait for its end, as
  /// such waits mostly follow here.
  bool expects_wait(const std::string& queue);
  /// Redis is told with the job that we wait for it.
  void prefetched(const std::string& queue, const std::string& id);

  void reconnected();
  /// The connection is about to go.
  void close();

 private:
  struct waiter;
  struct registration;
  struct waited_job {
    std::vector<waiter*> waiters;
    milliseconds pause{};
    std::chrono::steady_clock::time_point ask_at;  // if nothing was heard by then
  };
  struct queue_waits {
    std::unordered_map<std::string, waited_job> by_id;
    std::vector<std::string> to_ask;
    bool asking = false;  // a question is posted
    bool subscribed = false;
    double likelihood = 0;  // that a client that enqueues a job waits for it
    // Jobs that need not be asked for, and their ends, if those came before anybody asked us. The oldest are
    // forgotten.
    std::unordered_map<std::string, std::optional<std::string>> prefetched;
    std::deque<std::string> prefetched_order;
  };

  void ask(const std::string& queue, std::string id);
  void ask_all();
  void begin_to_ask_now_and_then();
  void begin_wait();
  void end_wait();
  static awaitable<void> send(std::shared_ptr<result_waiters> self, std::string queue);
  static awaitable<void> subscribe(std::shared_ptr<result_waiters> self, std::string queue);
  static awaitable<void> question(std::shared_ptr<result_waiters> self, std::string queue,
                                  std::vector<std::string> ids);
  struct reply_limits;
  awaitable<std::vector<std::string>> put(std::string queue, std::vector<std::string> ids,
                                          reply_limits limits);
  void ask_those_due();
  static awaitable<void> ask_now_and_then(std::shared_ptr<result_waiters> self);
  void on_message(const std::string& queue, std::string_view message);
  void fetch(const std::string& queue, const std::string& id);
  void notify(const std::string& queue, const std::string& id, std::string_view end);
  void fail(const std::string& queue, const std::string& id, std::exception_ptr error);
  std::vector<waiter*> take(const std::string& queue, const std::string& id);

  boost::asio::any_io_executor loop_;
  quarq::redis::connection* connection_;
  quarq::redis::connection* payloads_;  // null: there is none
  const quarq::redis::script* script_;
  std::string (*prefix_of_)(std::string_view queue);
  const std::string name_;
  const milliseconds ask_again_after_, longest_pause_;
  std::map<std::string, queue_waits, std::less<>> queues_;
  int unanswered_ = 0;       // questions
  std::size_t waiting_ = 0;  // coroutines in wait()
  bool hears_of_rest_ = false;
  boost::asio::steady_timer* again_ = nullptr;  // ask_now_and_then()'s, while it runs
};

}  // namespace quarq::broker::redis_common
