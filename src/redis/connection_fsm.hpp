// The life of a connection to a Redis server as a state machine: events in, actions out. No I/O, no clock.
//
//                            +--> resolving --+ (only with sentinels)
//             first request  |                v
//      idle -----------------+------> connecting ---> handshaking ---> serving
//       ^                    |                |            |              |
//       |                    |                +------------+--------------+
//       | permanent error,   |                             | an error, or `disconnecting`, in which the
//       | no subscriptions   | the pause is over           v machine has asked for the end of the attempt
//       +-------------- backing_off <-------------- on_disconnected
//
//      close() leads from every phase to `closed`, which is final.
//
// A lost connection is made again, unless the error is permanent (a wrong password, an unknown certificate)
// and there are no subscriptions. Requests without a reply are sent again over the next connection. Requests
// fail when they have waited for a connection for longer than their timeout, and when an error is permanent.
//
// With `rests_when_idle`, a machine that nobody has needed for a moment rests: it has no deadline, and its driver does
// not read. In `serving` the connection stays open meanwhile; in `backing_off` it becomes `idle`.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "redis/actions.hpp"
#include "redis/backoff.hpp"
#include "redis/handshake.hpp"
#include "redis/health_check.hpp"
#include "redis/options.hpp"
#include "redis/pipeline.hpp"

namespace quarq::redis {

/// Why an attempt to connect, or the connection that it made, has ended.
struct disconnect_reason {
  std::string why;
  bool is_permanent = false;  ///< trying again would not change it
  bool is_cut = false;        ///< the other side, or the network, has ended the connection
};

/// What an attempt is doing, in words, for errors.
struct attempt_progress {
  std::string step = "connecting";
  std::string search;      ///< how the search for the master stands, while there is one
  std::size_t unsent = 0;  ///< bytes that were written, and that the other end has not taken yet
};

/// After each event, the driver performs actions() in order, delivers notifications() and sees to it that
/// on_deadline() is called at deadline().
class connection_fsm {
 public:
  using time_point = request::clock::time_point;
  using receiver = std::shared_ptr<const std::function<void(std::string_view message)>>;

  enum class phase {
    idle,           ///< there are no requests to connect for
    resolving,      ///< asking sentinels for the master
    connecting,     ///< looking up the host, connecting, TLS
    handshaking,    ///< the first commands are sent, not all of their replies have come
    serving,        ///< requests are sent as they come
    disconnecting,  ///< the machine has given the attempt up; on_disconnected() is still to come
    backing_off,    ///< waiting for the next attempt
    closed,
  };

  /// Until the last reply of the handshake. A master that says nothing may be one of before: another sentinel is to be
  /// asked while the leases of jobs last.
  static constexpr std::chrono::milliseconds attempt_timeout{5'000}, attempt_timeout_with_sentinels{2'000};
  static constexpr std::chrono::milliseconds expiry_step{10};  ///< requests that expire within it do together
  static constexpr std::chrono::seconds settled_after{2};      ///< a connection this old was a good one
  static constexpr std::chrono::milliseconds rest_after{30};   ///< of which nothing was to be done
  static constexpr int max_script_loads = 3;                   ///< of one request

  explicit connection_fsm(connection_options options);

  // ---- calls of users

  void submit(request_ptr r, time_point now);
  /// Abandons the reply, not the command if that was sent already.
  void cancel(const request_ptr& r);
  /// Each handshake subscribes to these channels; on a connection that serves, the caller sends SUBSCRIBE.
  void add_subscription(std::string channel, receiver to);
  void remove_subscription(std::string_view channel, time_point now);
  /// Returns null if the channel has none.
  receiver subscriber(std::string_view channel) const;
  /// Whether anybody waits for messages; only of interest to a machine that rests.
  void expect_messages(bool on, time_point now);
  void close();

  // ---- events of an attempt

  void on_resolved(const endpoint& master, const endpoint& sentinel, time_point now);
  void on_connected(time_point now);
  /// Bytes arrived at either end.
  void on_data(time_point now);
  /// REQUIRES: expects_replies().
  void on_reply(reply&& r, time_point now);
  /// `failure` is empty if all of the bytes were written.
  void on_written(const std::string& failure, time_point now);
  /// The attempt has ended. `random` is uniform in [0, 1), for the jitter of the pause.
  void on_disconnected(const disconnect_reason& reason, time_point now, double random);

  // ---- time

  void on_flush(time_point now);
  void on_deadline(time_point now, const attempt_progress& progress);
  std::optional<time_point> deadline() const noexcept {
    std::optional<time_point> next;
    for (const auto& at : {phase_deadline_, request_deadline_, rest_deadline_}) {
      if (at && (!next || *at < *next)) next = at;
    }
    return next;
  }

  // ---- actions

  /// Both belong to the driver once it has looked at them: it empties them.
  std::vector<action>& actions() noexcept { return actions_; }
  std::vector<notification>& notifications() noexcept { return notifications_; }
  /// What start_write writes; the driver moves it away.
  std::string& output() noexcept { return output_; }

  phase current() const noexcept { return phase_; }
  bool expects_replies() const noexcept { return phase_ == phase::handshaking || phase_ == phase::serving; }
  const connection_options& options() const noexcept { return options_; }

  /// The event loop is being destroyed. Closes without notifying anybody, and returns all that belongs to
  /// users: destroying that may destroy the connection.
  struct remains {
    std::vector<std::unique_ptr<completion_handler>> handlers;
    std::map<std::string, receiver, std::less<>> subscriptions;
    std::vector<notification> notifications;
  };
  remains on_loop_destroyed();

 private:
  // Requests.
  void enqueue(request_ptr r, time_point now);
  void complete(const request_ptr& r, std::exception_ptr failure, reply content);
  void fail(const request_ptr& r, const std::string& why);
  void fail_all_waiting(const std::string& why);
  void fail_expired(time_point now, const attempt_progress& progress);
  void set_request_deadline(time_point now);
  void flush(time_point now);
  void flush_later();

  // Phases.
  void begin_attempt(time_point now);
  void expect_connection(time_point now);
  bool has_sentinels() const noexcept { return !options_.sentinel.hosts.empty(); }
  std::chrono::milliseconds max_attempt() const noexcept {
    return has_sentinels() ? attempt_timeout_with_sentinels : attempt_timeout;
  }
  void begin_serving(time_point now);
  void give_up(disconnect_reason reason);
  void fail_refused();
  void end_phase(time_point now, const attempt_progress& progress);
  void back_off(time_point now, double random);

  // Replies.
  void take_handshake_reply(const reply& r, time_point now);
  void take_reply(reply& r, time_point now);
  void take_error(const request_ptr& r, const std::string& text);
  void load_and_retry(const request_ptr& r);
  void script_loaded(const request& load, const reply& answer);

  void watch_health(time_point now);
  void check_health(time_point now);
  void report_outage();

  // Resting.
  bool listens() const { return !subscriptions_.empty() && (!options_.rests_when_idle || expects_messages_); }
  bool is_idle() const;
  void look_for_rest(time_point now);
  void rest_if_idle(time_point now);
  void wake();
  void check_invariants() const;

  const connection_options options_;
  phase phase_ = phase::idle;
  pipeline pipeline_;
  std::map<std::string, receiver, std::less<>> subscriptions_;
  std::vector<action> actions_;
  std::vector<notification> notifications_;
  std::string output_;

  // Of the current attempt.
  std::optional<handshake> handshake_;
  std::vector<std::string> handshake_channels_;
  std::string master_, source_;              // the server that a sentinel named; the same for errors
  std::optional<time_point> serving_since_;  // if it has come so far
  std::optional<disconnect_reason> given_up_;
  std::map<const script*, std::string> loads_;  // scripts that are being loaded, and why one was refused
  bool is_writing_ = false;
  bool is_flush_scheduled_ = false;
  health_check health_{has_sentinels() ? health_check::max_silence_with_sentinels
                                       : health_check::max_silence};
  std::size_t last_unsent_ = 0;

  bool is_resting_ = false;
  bool is_just_awake_ = false;  // nothing has come since

  // From one attempt to the next.
  backoff pause_;
  disconnect_reason last_;
  bool is_outage_reported_ = false;
  bool has_served_ = false;
  bool expects_messages_ = false;
  time_point idle_since_{};

  std::optional<time_point> phase_deadline_;    // of the attempt, the health check or the pause
  std::optional<time_point> request_deadline_;  // when to look for requests that have expired
  std::optional<time_point> rest_deadline_;     // when to look whether to rest
};

}  // namespace quarq::redis
