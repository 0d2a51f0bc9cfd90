// quarq top
#include <algorithm>
#include <chrono>
#include <csignal>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <quarq/errors.hpp>
#include <quarq/event.hpp>
#include <quarq/run.hpp>
#include <quarq/task_group.hpp>
#include <quarq/time.hpp>

#include "cli/command.hpp"
#include "cli/output.hpp"
#include "cli/rates.hpp"
#include "cli/top_picture.hpp"
#include "clients/recent_stats.hpp"
#include "dashboard/actions.hpp"
#include "dashboard/reader.hpp"

namespace quarq::cli {

namespace {

namespace asio = boost::asio;
using steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds between_overviews{1'000};
constexpr std::chrono::milliseconds between_paints{250};
/// What costs a question for each queue, or a look through dead jobs, is asked for less often.
constexpr std::chrono::seconds details_age{3};
constexpr std::size_t max_queues = 100;  ///< whose counts are asked for

/// Reads what there is to show.
class top_reader {
 public:
  top_reader(const queue_ptr& queue, broker_ptr store)
      : from_(std::move(store), dashboard::redaction({}, true)) {
    data_.broker = broker::without_password(queue->url());
  }

  const top_data& data() const noexcept { return data_; }
  dashboard::reader& store() noexcept { return from_; }
  /// Something has been changed.
  void forget_overview() { from_.forget_overview(); }

  awaitable<void> read_overview() {
    data_.at = now();
    data_.overview = co_await from_.overview();
  }

  /// `errors_of`: whose dead jobs are to be shown; empty: those of all queues that have any. What the broker does not
  /// answer stays as it was, and overview.trouble says why.
  awaitable<void> read_details(queue_order order, std::string errors_of) {
    if (!data_.overview.trouble.empty()) co_return;
    try {
      if (is_over(counted_, dashboard::reader::overview_age)) co_await count(order);
      if (is_over(workers_read_, details_age)) co_await read_workers();
      if (is_over(errors_read_, details_age) || errors_of != errors_of_)
        co_await read_errors(std::move(errors_of));
    } catch (const broker_error& e) {
      data_.overview.trouble = e.what();
    }
  }

 private:
  static bool is_over(steady::time_point read, std::chrono::milliseconds age) {
    return steady::now() - read >= age;
  }

  awaitable<void> count(queue_order order) {
    auto queues = in_order(data_, order);
    if (queues.size() > max_queues) queues.resize(max_queues);
    std::map<std::string, task_stats> recent;
    for (const auto& one : queues) {
      auto counts = co_await clients::recent_stats(from_.shared_store(), one.name, rate_time);
      recent.emplace(one.name, std::move(counts));
    }
    data_.recent = std::move(recent);
    counted_ = steady::now();
  }

  awaitable<void> read_workers() {
    data_.workers = co_await from_.workers();
    workers_read_ = steady::now();
  }

  awaitable<void> read_errors(std::string of) {
    std::map<std::string, dashboard::errors_view> errors;
    for (const auto& one : data_.overview.queues) {
      const bool is_asked_for = of.empty() ? errors.size() < max_queues : one.name == of;
      if (one.dead == 0 || !is_asked_for) continue;
      auto found = co_await from_.errors(one.name);
      errors.emplace(one.name, std::move(found));
    }
    data_.errors = std::move(errors);
    errors_of_ = std::move(of);
    errors_read_ = steady::now();
  }

  dashboard::reader from_;
  top_data data_;
  steady::time_point counted_{}, workers_read_{}, errors_read_{};
  std::string errors_of_;
};

/// What the user is asked about.
struct asked_change {
  std::string queue;
  bool pauses = true;
};

/// The picture on a terminal, live.
class top {
 public:
  top(const queue_ptr& queue, broker_ptr store) : reader_(queue, std::move(store)) {}

  awaitable<void> run() {
    // Each of these runs until one of them ends all.
    auto all = [this](task_group& group) -> awaitable<void> {
      group_ = &group;
      group.spawn(look_on());
      group.spawn(paint_on());
      group.spawn(read_keys());
      group.spawn(heed_signals());
      co_return;
    };
    co_await with_task_group(all);
  }

 private:
  void quit() { group_->cancel(); }

  awaitable<void> look_on() {
    while (true) {
      const auto next = steady::now() + between_overviews;
      look_now_.clear();
      co_await reader_.read_overview();
      choose_one();
      co_await reader_.read_details(choice_.order, choice_.queue);
      changed_.set();
      co_await sleep_for(between_paints);
      while (!look_now_.is_set() && steady::now() < next) co_await wait_for_look(next);
    }
  }

  awaitable<void> wait_for_look(steady::time_point until) {
    try {
      co_await with_timeout(look_now_.wait(), until - steady::now());
    } catch (const timed_out&) {
      // It is time.
    }
  }

  awaitable<void> paint_on() {
    while (true) {
      co_await changed_.wait();
      changed_.clear();
      const auto size = screen_.size();
      screen_.draw(picture(reader_.data(), choice_, size));
      if (!screen_.is_there()) quit();
      co_await sleep_for(between_paints);
    }
  }

  awaitable<void> read_keys() {
    const auto loop = co_await asio::this_coro::executor;
    asio::posix::stream_descriptor from(loop, dup(screen_.keys()));
    key_reader keys;
    while (true) {
      char bytes[256];
      auto reading = from.async_read_some(asio::buffer(bytes), asio::as_tuple(asio::deferred));
      const auto [failed, count] = co_await std::move(reading);
      if (failed) break;
      for (const auto& one : keys.read(std::string_view(bytes, count))) press(one);
      changed_.set();
    }
    quit();  // the terminal is gone, or all is cancelled
  }

  awaitable<void> heed_signals() {
    const auto loop = co_await asio::this_coro::executor;
    asio::signal_set signals(loop, SIGINT, SIGTERM, SIGHUP);
    for (const int other : {SIGQUIT, SIGTSTP, SIGWINCH}) signals.add(other);
    while (true) {
      auto waiting = signals.async_wait(asio::as_tuple(asio::deferred));
      const auto [failed, number] = co_await std::move(waiting);
      if (failed) co_return;
      if (number == SIGTSTP) {
        screen_.suspend();
      } else if (number != SIGWINCH) {
        quit();
      }
      changed_.set();
    }
  }

  void press(const key& one) {
    if (asked_) return answer(one);
    choice_.notice.clear();
    constexpr int orders = 3;
    const auto order = static_cast<int>(choice_.order);
    if (one.what == key::kind::up) return move(-1);
    if (one.what == key::kind::down) return move(1);
    if (one.what == key::kind::left) return sort_by((order + orders - 1) % orders);
    if (one.what == key::kind::right) return sort_by((order + 1) % orders);
    if (one.what != key::kind::character) return;
    if (one.character == 'q') return quit();
    if (one.character >= '1' && one.character <= '3') return sort_by(one.character - '1');
    if (one.character == 'p') ask();
  }

  void sort_by(int order) { choice_.order = static_cast<queue_order>(order); }

  void move(int by) {
    const auto queues = in_order(reader_.data(), choice_.order);
    for (std::size_t i = 0; i < queues.size(); ++i) {
      if (queues[i].name != choice_.queue) continue;
      const auto last = static_cast<int>(queues.size()) - 1;
      choice_.queue = queues[static_cast<std::size_t>(std::clamp(static_cast<int>(i) + by, 0, last))].name;
      look_now_.set();
      return;
    }
  }

  // The first one, where none is chosen or the chosen one is gone.
  void choose_one() {
    const auto queues = in_order(reader_.data(), choice_.order);
    const auto is_chosen = [this](const auto& q) { return q.name == choice_.queue; };
    if (std::none_of(queues.begin(), queues.end(), is_chosen))
      choice_.queue = queues.empty() ? std::string() : queues.front().name;
  }

  void ask() {
    for (const auto& one : reader_.data().overview.queues) {
      if (one.name != choice_.queue) continue;
      asked_.emplace();
      asked_->queue = one.name;
      asked_->pauses = !one.paused;
      choice_.notice = fmt::format("{} queue {}? [y/N] ", one.paused ? "Resume" : "Pause", one.name);
    }
  }

  void answer(const key& one) {
    const bool is_yes = one.what == key::kind::character && (one.character == 'y' || one.character == 'Y');
    auto asked = *std::exchange(asked_, std::nullopt);
    choice_.notice.clear();
    if (is_yes) group_->spawn(change(std::move(asked)));
  }

  awaitable<void> change(asked_change asked) {
    dashboard::queue_request request;
    request.queue = asked.queue;
    request.action = asked.pauses ? "pause" : "resume";
    std::string outcome;
    try {
      const auto done = co_await dashboard::change_queue(reader_.store(), request);
      outcome = fmt::format("{}: {}", asked.queue, done.outcome);
    } catch (const error& e) {
      outcome = e.what();
    }
    if (!asked_) choice_.notice = std::move(outcome);
    reader_.forget_overview();
    look_now_.set();
    changed_.set();
  }

  top_reader reader_;
  top_choice choice_;
  std::optional<asked_change> asked_;
  event changed_, look_now_;
  task_group* group_ = nullptr;
  screen screen_;
};

awaitable<void> run_live(queue_ptr queue) {
  const auto loop = co_await asio::this_coro::executor;
  top live(queue, queue->on(loop));
  co_await live.run();
}

awaitable<top_data> read_once(queue_ptr queue) {
  const auto loop = co_await asio::this_coro::executor;
  top_reader from(queue, queue->on(loop));
  co_await from.read_overview();
  co_await from.read_details(queue_order::name, "");
  if (!from.data().overview.trouble.empty()) throw broker_error(from.data().overview.trouble);
  co_return from.data();
}

int run_top(const common& options) {
  const auto queue = open_queue(options);
  if (screen::is_possible()) {
    run(run_live(queue));
    return ok;
  }
  const auto data = run(read_once(queue));
  for (const auto& line : picture(data, top_choice(), std::nullopt)) print_line(line.text);
  return ok;
}

}  // namespace

void add_top(CLI::App& app, chosen_command& chosen) {
  const auto options = std::make_shared<common>();
  auto* command = add_command(app, "top", "Queues, workers and dead jobs, live on the terminal", *options);
  for (const auto* const other : {"--queue", "--json"}) command->remove_option(command->get_option(other));
  command->callback([options, &chosen] { chosen = [options] { return run_top(*options); }; });
}

}  // namespace quarq::cli
