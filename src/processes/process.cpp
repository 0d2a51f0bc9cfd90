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

  void ended(process_end how) {
    std::vector<std::shared_ptr<completion>> waiting;
    {
      const std::lock_guard lock(mutex_);
      end_ = how;
      waiting.swap(waiting_);
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

  /// False if it has ended already.
  bool add(const std::shared_ptr<completion>& waiter) {
    const std::lock_guard lock(mutex_);
    if (end_) return false;
    waiting_.push_back(waiter);
    return true;
  }
  /// False if it was not there: the end has completed it.
  bool remove(const std::shared_ptr<completion>& waiter) {
    const std::lock_guard lock(mutex_);
    return std::erase(waiting_, waiter) > 0;
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::optional<process_end> end_;
  std::vector<std::shared_ptr<completion>> waiting_;
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
  if (!ending || !processes::owns_children()) return;
  ending->child->kill();
  ending->wait();
}

const std::shared_ptr<process::state>& process::require() const {
  if (!state_) throw error("this quarq::process holds no process: it was default-constructed or moved from");
  return state_;
}

awaitable<int> process::join() const {
  return wait_for(require());
}

awaitable<int> process::wait_for(std::shared_ptr<state> of) {
  const auto loop = co_await asio::this_coro::executor;
  const auto event = std::make_shared<completion>(loop);
  if (of->add(event)) {
    std::function<void()> on_cancel = [of, waiter = std::weak_ptr(event)] {
      const auto waiting = waiter.lock();
      if (waiting && of->remove(waiting)) waiting->complete();
    };
    co_await completion::wait(event, std::move(on_cancel));
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
  return state_ && !state_->end();
}

int process::pid() const noexcept {
  return state_ ? state_->child->pid() : 0;
}

void process::terminate() const noexcept {
  if (state_) state_->child->kill(SIGTERM);
}

void process::kill() const noexcept {
  if (state_) state_->child->kill();
}

}  // namespace quarq
