// Drives a connection_fsm through tables: one row an event, with the phase and the actions that follow.
#pragma once

#include <chrono>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

#include <quarq/errors.hpp>

#include "redis/connection_fsm.hpp"
#include "unit/redis/replies.hpp"

namespace quarq::redis {

inline std::string what_of(const std::exception_ptr& e) {
  try {
    std::rethrow_exception(e);
  } catch (const broker_error& failed) {
    return failed.what();
  } catch (const boost::system::system_error&) {
    return "aborted";
  }
}

/// Knows which request it completes.
class named_handler final : public completion_handler {
 public:
  explicit named_handler(std::string of) : name(std::move(of)) {}
  void complete(std::exception_ptr, reply) override {}
  const std::string name;
};

/// Notifications and actions in words: "a: OK", "a fails: WHY", "message CHANNEL: TEXT", "reconnected", "connect",
/// "write COMMAND | COMMAND", "flush", "disconnect: WHY", "distrust sentinel", "warning: TEXT", "info: TEXT".
struct action_words {
  std::string& output;

  std::string operator()(const completion& c) const {
    const auto& name = dynamic_cast<const named_handler&>(*c.handler).name;
    return c.failure ? name + " fails: " + what_of(c.failure) : name + ": " + c.content.text;
  }
  std::string operator()(const message& m) const { return "message " + m.channel + ": " + m.text; }
  std::string operator()(const reconnected&) const { return "reconnected"; }
  std::string operator()(const start_attempt&) const { return "connect"; }
  std::string operator()(const start_write&) const {
    return "write " + commands_in(std::exchange(output, {}));
  }
  std::string operator()(const schedule_flush&) const { return "flush"; }
  std::string operator()(const start_rest&) const { return "rest"; }
  std::string operator()(const end_rest&) const { return "wake"; }
  std::string operator()(const disconnect& d) const { return "disconnect: " + d.why; }
  std::string operator()(const distrust_sentinel&) const { return "distrust sentinel"; }
  std::string operator()(const write_log& w) const {
    return (w.is_warning ? "warning: " : "info: ") + w.text;
  }
};

class redis_connection_fsm : public ::testing::Test {
 protected:
  using phase = connection_fsm::phase;
  using event = std::function<void()>;
  using milliseconds = std::chrono::milliseconds;
  static constexpr auto idle = phase::idle, resolving = phase::resolving, connecting = phase::connecting,
                        handshaking = phase::handshaking, serving = phase::serving,
                        disconnecting = phase::disconnecting, backing_off = phase::backing_off,
                        closed = phase::closed;

  const std::string address = "redis://127.0.0.1:6379";
  const std::string sentinels = "redis+sentinel://s:2?master=mymaster";
  const std::string hello = "write HELLO 3 | CLIENT SETNAME quarq";
  static std::string outage(const std::string& why, const std::string& at = "redis://127.0.0.1:6379") {
    return "warning: " + at + ": " + why + "; connecting again until it answers";
  }

  struct row {
    event what;
    phase then;
    std::string actions;
  };

  /// Lets the events happen one after the other and compares what follows.
  void expect(std::initializer_list<row> table) {
    int line = 0;
    for (const auto& r : table) {
      SCOPED_TRACE("row " + std::to_string(++line));
      r.what();
      EXPECT_EQ(static_cast<int>(fsm->current()), static_cast<int>(r.then));
      EXPECT_EQ(take_actions(), r.actions);
    }
  }

  /// Notifications first.
  std::string take_actions() {
    std::string words;
    const auto add = [&](const auto& each) {
      words += (words.empty() ? "" : "; ") + std::visit(action_words{fsm->output()}, each);
    };
    for (const auto& each : std::exchange(fsm->notifications(), {})) add(each);
    for (const auto& each : std::exchange(fsm->actions(), {})) add(each);
    return words;
  }

  /// How long until the deadline.
  std::optional<milliseconds> time_left() const {
    const auto at = fsm->deadline();
    if (!at) return std::nullopt;
    return std::chrono::ceil<milliseconds>(*at - now);
  }

  // ---- what users do

  event submit(const std::string& name) {
    return [=, this] { fsm->submit(request_for(name, {name}), now); };
  }
  event submit_script(const std::string& name) {
    return [=, this] {
      auto r = make_evalsha(script_, std::vector<std::string>(), std::vector<std::string>());
      requests[name] = r;
      r->handler = std::make_unique<named_handler>(name);
      fsm->submit(r, now);
    };
  }
  event cancel(const std::string& name) {
    return [=, this] { fsm->cancel(requests.at(name)); };
  }
  event subscribe(const std::string& channel) {
    return [=, this] {
      const auto ignore = [](std::string_view) {};
      fsm->add_subscription(channel, std::make_shared<const std::function<void(std::string_view)>>(ignore));
    };
  }
  event submit_subscribe(const std::string& channel) {
    return [=, this] {
      auto r = make_subscription(request::kind::subscribe, channel);
      r->handler = std::make_unique<named_handler>(channel);
      fsm->submit(r, now);
    };
  }
  event unsubscribe(const std::string& channel) {
    return [=, this] { fsm->remove_subscription(channel, now); };
  }
  event close() {
    return [this] { fsm->close(); };
  }

  // ---- what happens to the attempt

  event resolved() {
    return [this] { fsm->on_resolved({"m", "1"}, {"s", "2"}, now); };
  }
  event connected() {
    return [this] { fsm->on_connected(now); };
  }
  event written(const std::string& failure = {}) {
    return [=, this] { fsm->on_written(failure, now); };
  }
  event replied(reply r) {
    return [=, this] { fsm->on_reply(reply(r), now); };
  }
  event replied(const std::string& content) { return replied(text(content)); }
  event received() {
    return [this] { fsm->on_data(now); };
  }
  event lost(const std::string& why, double random = 0.5) {
    return [=, this] { fsm->on_disconnected({why}, now, random); };
  }
  event refused(const std::string& why) {
    return [=, this] { fsm->on_disconnected({why, true}, now, 0.5); };
  }

  // ---- time

  event flushed() {
    return [this] { fsm->on_flush(now); };
  }
  event after(milliseconds t) {
    return [=, this] {
      now += t;
      fsm->on_deadline(now, progress);
    };
  }

  // ---- places to begin at

  void serve() {
    expect({{submit("first"), connecting, "connect"},
            {connected(), handshaking, hello},
            {written(), handshaking, ""},
            {replied("OK"), handshaking, ""},
            {replied("OK"), serving, "write first"},
            {written(), serving, ""},
            {replied("1"), serving, "first: 1"}});
  }
  void serve_again() {
    fsm->on_connected(now);
    take_actions();
    fsm->on_written({}, now);
    fsm->on_reply(text("OK"), now);
    fsm->on_reply(text("OK"), now);
    take_actions();
  }

  request_ptr request_for(const std::string& name, const std::vector<std::string>& args) {
    auto r = make_request(args);
    r->handler = std::make_unique<named_handler>(name);
    requests[name] = r;
    return r;
  }
  void make(connection_options options) { fsm = std::make_unique<connection_fsm>(options); }
  void make_with_sentinels() {
    connection_options o;
    o.sentinel.hosts = {{"s", "2"}};
    make(o);
  }

  const script script_{"return 1"};
  std::map<std::string, request_ptr> requests;
  connection_fsm::time_point now{};
  attempt_progress progress;
  std::unique_ptr<connection_fsm> fsm = std::make_unique<connection_fsm>(connection_options{});
};

}  // namespace quarq::redis
