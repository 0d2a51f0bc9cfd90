#include <cerrno>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <quarq/errors.hpp>
#include <quarq/process.hpp>

#include "async/completion.hpp"
#include "base/linked_list.hpp"
#include "base/owner_process.hpp"
#include "processes/start.hpp"
#include "processes/supervisor.hpp"

namespace quarq {

namespace asio = boost::asio;
using async::completion;
using processes::process_end;

/// Shared with the supervisor, which reports the end, and with coroutines that wait for it.
class process::state {
 public:
  std::shared_ptr<processes::child_process> child;  // set once, by the constructor
  const base::owner_process owner;

  void ended(process_end how) {
    std::vector<std::shared_ptr<completion>> waiting;
    {
      const std::lock_guard lock(mutex_);
      end_ = how;
      while (!waiting_.empty()) {
        waiter& one = waiting_.pop_front();
        one.waits = false;
        waiting.push_back(one.event);
      }
    }
    changed_.notify_all();
    for (const auto& one : waiting) one->complete();
  }

  std::optional<process_end> end() const {
    const std::lock_guard lock(mutex_);
    return end_;
  }

  process_end wait() const {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return end_.has_value(); });
    return *end_;
  }

  struct waiter : base::linked<waiter> {
    std::shared_ptr<completion> event;
    bool waits = false;
  };
  /// False if it has ended already.
  bool add(waiter& one) {
    const std::lock_guard lock(mutex_);
    if (end_) return false;
    waiting_.push_back(one);
    one.waits = true;
    return true;
  }
  /// False if it was not there: the end has completed it.
  bool remove(waiter& one) {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(one.waits, false)) return false;
    waiting_.remove(one);
    return true;
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::optional<process_end> end_;
  base::linked_list<waiter> waiting_;
};

namespace {

int code_of(const process_end& end) {
  switch (end.kind) {
    case process_end::how::exited:
      return end.number;
    case process_end::how::killed:
      return -end.number;
    default:
      throw error("the exit code of a process is unknown: it " + to_text(end));
  }
}

}  // namespace

process& process::operator=(process&& other) noexcept {
  if (this != &other) {
    end();
    state_ = std::move(other.state_);
  }
  return *this;
}

process::~process() {
  end();
}

void process::start(const detail::process_exchange& call, std::string name) {
  const auto mine = std::make_shared<state>();
  if (name.empty()) name = program_invocation_short_name;
  mine->child =
      processes::start_function(call, std::move(name), [mine](process_end how) { mine->ended(how); });
  state_ = mine;
}

void process::end() noexcept {
  const auto ending = std::move(state_);
  // In a forked copy of this program the process belongs to the parent.
  if (!ending || !ending->owner.is_this_one()) return;
  // What may not be killed, since this program has dropped its privileges, ends by itself.
  const bool killed = ending->child->kill();
  if (killed) ending->wait();
}

const std::shared_ptr<process::state>& process::require() const {
  if (!state_) throw error("this quarq::process holds no process: it was default-constructed or moved from");
  if (!state_->owner.is_this_one())
    throw error("a quarq::process can't be used in a copy of its program that fork() made");
  return state_;
}

bool process::is_ours() const noexcept {
  return state_ && state_->owner.is_this_one();
}

awaitable<int> process::join() const {
  return wait_for(require());
}

awaitable<int> process::wait_for(std::shared_ptr<state> of) {
  const auto loop = co_await asio::this_coro::executor;
  // Also when the loop is destroyed, and with it this coroutine.
  struct wait_here {
    explicit wait_here(state& to) : of(to) {}
    ~wait_here() { of.remove(me); }
    state& of;
    state::waiter me;
  } here(*of);
  here.me.event = std::make_shared<completion>(loop);
  const bool must_wait = of->add(here.me);
  if (must_wait) {
    const std::function<void()> on_cancel = [&here] {
      if (here.of.remove(here.me)) here.me.event->complete();
    };
    co_await completion::wait(here.me.event, on_cancel);
  }
  const auto how = of->end();
  if (!how) throw boost::system::system_error(asio::error::operation_aborted);
  co_return code_of(*how);
}

int process::wait() const {
  return code_of(require()->wait());
}

std::optional<int> process::exit_code() const {
  const auto how = require()->end();
  if (!how) return std::nullopt;
  return code_of(*how);
}

bool process::running() const {
  return state_ && !require()->end();
}

int process::pid() const noexcept {
  return state_ ? state_->child->pid() : 0;
}

void process::terminate() const noexcept {
  if (is_ours()) state_->child->kill(SIGTERM);
}

void process::kill() const noexcept {
  if (is_ours()) state_->child->kill();
}

}  // namespace quarq
