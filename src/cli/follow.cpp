#include "cli/follow.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <quarq/errors.hpp>
#include <quarq/run.hpp>
#include <quarq/time.hpp>

#include "base/terminal.hpp"
#include "cli/job_text.hpp"
#include "cli/output.hpp"
#include "clients/job_follower.hpp"

namespace quarq::cli {

namespace {

using clients::job_event;
using event_kind = job_event::kind;

constexpr std::chrono::seconds between_looks{1};

std::string_view word_of(const job_event& event) {
  switch (event.what) {
    case event_kind::started:
      return "started";
    case event_kind::retried:
      return "retried";
    case event_kind::returned:
      return "returned";
    case event_kind::gone:
      return "ended";
    case event_kind::ended:
      break;
  }
  return to_string(event.job.state);
}

// "attempt 2, took 3 s, again in 10 s: std::runtime_error: HTTP 503".
std::string about(const job_event& event, const job_info& job, time_point at) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (job.attempts > 1) add(fmt::format("attempt {}", job.attempts));
  if (job.losses > 0) add(fmt::format("lost {} times", job.losses));
  const bool is_start = event.what == event_kind::started;
  if (is_start) return text + (text.empty() ? "" : "  ") + job.arguments;
  if (event.what == event_kind::gone) add("nothing of it is kept");
  if (job.started_at && job.finished_at) add("took " + rough(*job.finished_at - *job.started_at));
  if (event.what == event_kind::retried && job.due_at) add("again " + relative(*job.due_at, at));
  const auto error = error_of(job);
  return error.empty() ? text : text + (text.empty() ? "" : ": ") + error;
}

/// Writes events, one a line.
class event_printer {
 public:
  explicit event_printer(bool json) : json_(json) {}

  void print_beginning(const std::string& queue, const std::string& url) {
    const auto broker = broker::without_password(url);
    if (json_) {
      print_json(json_object()
                     .text("event", "following")
                     .time("at", now())
                     .text("queue", queue)
                     .text("broker", broker));
    } else {
      print_text(now(), fmt::format("following  queue {} at {}", queue, broker));
    }
  }

  void print_event(const job_event& event, job_info job) {
    if (job.task.empty()) job.task = event.task;
    const bool has_ended = event.what != event_kind::started && event.what != event_kind::returned;
    const auto seen = now();
    const auto at = has_ended ? job.finished_at.value_or(seen) : seen;
    if (json_) {
      print_json(json_object().text("event", word_of(event)).time("at", at).json("job", shown(event, job)));
    } else {
      print_text(at,
                 fmt::format("{:<9}  {}  {}  {}", word_of(event), job.id, job.task, about(event, job, seen)));
    }
  }

  void print_unseen(const clients::event_counts& some) {
    if (some.ended == 0 && some.retried == 0) return;
    if (json_) {
      print_json(json_object()
                     .text("event", "unseen")
                     .time("at", now())
                     .number("ended", some.ended)
                     .number("failed", some.failed)
                     .number("retried", some.retried));
    } else {
      print_text(now(),
                 fmt::format("... {} more ended between two looks, of which {} failed; {} are tried again",
                             some.ended, some.failed, some.retried));
    }
  }

  void print_lost(const std::string& why) {
    if (std::exchange(is_lost_, true)) return;
    if (json_)
      return print_json(json_object().text("event", "broker_lost").time("at", now()).text("error", why));
    complain(why + "; trying again");
  }

  void print_back() {
    if (!std::exchange(is_lost_, false)) return;
    if (json_) return print_json(json_object().text("event", "broker_back").time("at", now()));
    complain("the broker answers again");
  }

 private:
  // Of a job that is gone, its state is not known.
  static std::string shown(const job_event& event, const job_info& job) {
    if (event.what != event_kind::gone) return job_json(job);
    return json_object()
        .text("id", job.id)
        .text("queue", job.queue)
        .text("task", job.task)
        .json("state", "")
        .str();
  }
  static void print_json(const json_object& one) { print_line(one.str()); }
  static void print_text(time_point at, const std::string& text) {
    const auto line = terminal_safe(iso8601(at) + "  " + text);
    const auto columns = base::terminal_columns(STDOUT_FILENO);
    print(columns ? cut(line, *columns) + '\n' : line + '\n');
  }

  const bool json_;
  bool is_lost_ = false;
};

/// The names of the workers that hold jobs, asked for where one is not known.
class holders {
 public:
  holders(broker_ptr store, std::string queue) : store_(std::move(store)), queue_(std::move(queue)) {}

  awaitable<void> learn(const std::vector<job_event>& events) {
    const auto is_unknown = [this](const job_event& e) {
      return !e.job.holder.empty() && !names_.contains(e.job.holder);
    };
    if (std::none_of(events.begin(), events.end(), is_unknown)) co_return;
    const auto workers = co_await store_->workers(queue_);
    names_ = clients::names_of(workers);
  }
  const clients::worker_names& names() const noexcept { return names_; }

 private:
  const broker_ptr store_;
  const std::string queue_;
  clients::worker_names names_;
};

/// Follows until it is cancelled, or nobody reads any more.
class following {
 public:
  following(queue_ptr queue, broker_ptr store, clients::owned_filter which, bool json)
      : queue_(std::move(queue)),
        jobs_(store, queue_->name(), std::move(which)),
        holders_(std::move(store), queue_->name()),
        printer_(json) {}

  awaitable<void> run() {
    while (output_is_read()) {
      const auto began = std::chrono::steady_clock::now();
      co_await look();
      if (!finish_output()) co_return;
      co_await sleep_for(between_looks - (std::chrono::steady_clock::now() - began));
    }
  }

 private:
  awaitable<void> look() {
    try {
      co_await look_once();
    } catch (const broker::store_gone&) {
      throw;
    } catch (const broker_error& e) {
      printer_.print_lost(e.what());
    }
  }

  awaitable<void> look_once() {
    if (events_.empty()) events_ = co_await jobs_.look();
    co_await holders_.learn(events_);
    printer_.print_back();
    if (!std::exchange(has_begun_, true)) printer_.print_beginning(queue_->name(), queue_->url());
    for (auto& event : std::exchange(events_, {})) {
      printer_.print_event(event, described_job(queue_->name(), event.job, holders_.names()));
    }
    printer_.print_unseen(jobs_.take_unseen());
  }

  const queue_ptr queue_;
  clients::job_follower jobs_;
  holders holders_;
  event_printer printer_;
  bool has_begun_ = false;
  std::vector<job_event> events_;  // that are not printed yet
};

awaitable<void> follow(queue_ptr queue, filter_options which, bool json) {
  const auto loop = co_await boost::asio::this_coro::executor;
  const clients::owned_filter filter(which.filter());
  following all(queue, queue->on(loop), filter, json);
  co_await all.run();
}

}  // namespace

int follow_jobs(const queue_ptr& queue, const filter_options& which, bool json) {
  try {
    run(follow(queue, which, json), stop_on_signals);
  } catch (const interrupted&) {
    // That is how it ends.
  }
  return ok;
}

}  // namespace quarq::cli
