#include "processes/supervisor.hpp"

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <future>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <quarq/errors.hpp>

#include "base/signals.hpp"
#include "processes/child_entry.hpp"

namespace quarq::processes {

/// There is one in a program. It is never destroyed: children get their death signal when the thread that
/// started them ends, so its thread has to live as long as the program.
class process_supervisor {
 public:
  static process_supervisor& get() {
    static process_supervisor* const only = new process_supervisor;
    return *only;
  }

  static bool is_ours() noexcept { return !forked; }

  void start(spawn_options options) {
    post([this, options = std::make_shared<spawn_options>(std::move(options))] { start_now(*options); });
  }

  void watch(int descriptor, std::function<void()> readable) {
    post([this, descriptor, readable = std::move(readable)]() mutable {
      const std::uint64_t id = next_id_++;
      if (listen(descriptor, id, EPOLLIN | EPOLLONESHOT) != 0) return readable();
      watches_.emplace(id, watched{descriptor, std::move(readable)});
    });
  }

  // Runs `work` after everything posted so far, and after the events that are ready by then: a descriptor
  // that posted work has begun to watch shows up in the next round.
  void run_after_events(std::function<void()> work) {
    post([this, work = std::move(work)]() mutable { post(std::move(work)); });
  }

 private:
  struct kept {
    std::shared_ptr<child_process> process;
    std::function<void(process_end)> on_end;
  };
  struct watched {
    int descriptor;
    std::function<void()> readable;
  };
  static constexpr std::uint64_t wake_id = 0;
  static inline std::atomic<bool> forked = false;

  process_supervisor() : epoll_(epoll_create1(EPOLL_CLOEXEC)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!epoll_ || !wake_ || listen(wake_.get(), wake_id, EPOLLIN) != 0)
      throw error(with_errno("the thread that supervises child processes can't be made", errno));
    pthread_atfork(nullptr, nullptr, [] { forked = true; });
    base::start_thread_without_signals([this] { run(); }).detach();
  }

  int listen(int descriptor, std::uint64_t id, std::uint32_t events) noexcept {
    epoll_event event{};
    event.events = events;
    event.data.u64 = id;
    return epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event);
  }

  void post(std::function<void()> work) {
    {
      const std::lock_guard lock(mutex_);
      posted_.push_back(std::move(work));
      if (posted_.size() > 1) return;
    }
    const std::uint64_t one = 1;
    (void)!::write(wake_.get(), &one, sizeof one);
  }

  void run() {
    prctl(PR_SET_NAME, "quarq-children");
    // Children inherit the CPU affinity of the thread that starts them. This one was started by the first
    // thread that needed a child, which may be bound to one processor.
    cpu_set_t processors;
    if (sched_getaffinity(getpid(), sizeof processors, &processors) == 0)
      sched_setaffinity(0, sizeof processors, &processors);
    epoll_event events[32];
    while (true) {
      const int count = epoll_wait(epoll_.get(), events, 32, -1);
      for (int i = 0; i < count; ++i) handle(events[i].data.u64);
    }
  }

  void handle(std::uint64_t id) {
    if (id == wake_id) return run_posted();
    if (const auto found = watches_.find(id); found != watches_.end()) {
      const auto watch = std::move(found->second);
      watches_.erase(found);
      epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, watch.descriptor, nullptr);
      watch.readable();
    } else if (const auto ended = children_.find(id); ended != children_.end()) {
      const auto one = std::move(ended->second);
      children_.erase(ended);
      epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, one.process->pidfd(), nullptr);
      const process_end end = one.process->reap();
      if (one.on_end) one.on_end(end);
    }
  }

  void run_posted() {
    std::uint64_t count = 0;
    (void)!::read(wake_.get(), &count, sizeof count);
    std::vector<std::function<void()>> posted;
    {
      const std::lock_guard lock(mutex_);
      posted.swap(posted_);
    }
    for (auto& work : posted) {
      work();
      work = nullptr;
    }
  }

  void start_now(spawn_options& options) {
    std::shared_ptr<child_process> process;
    const std::uint64_t id = next_id_++;
    try {
      process = std::make_shared<child_process>(start_child(options.name, options.socket));
      options.socket.reset();
      watch_end(process, id);
    } catch (const std::exception& e) {
      options.socket.reset();
      if (options.on_failure) options.on_failure(e.what());
      return;
    }
    children_.emplace(id, kept{process, std::move(options.on_end)});
    if (options.on_start) options.on_start(std::move(process));
  }

  void watch_end(const std::shared_ptr<child_process>& process, std::uint64_t id) {
    if (listen(process->pidfd(), id, EPOLLIN) == 0) return;
    const int failure = errno;
    process->kill();
    process->reap();
    throw error(with_errno("a child process was started but can't be watched", failure));
  }

  base::unique_fd epoll_;
  base::unique_fd wake_;
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;
  // On the thread only.
  std::uint64_t next_id_ = wake_id + 1;
  std::unordered_map<std::uint64_t, kept> children_;
  std::unordered_map<std::uint64_t, watched> watches_;
};

void drain_supervisor() {
  const auto done = std::make_shared<std::promise<void>>();
  auto result = done->get_future();
  process_supervisor::get().run_after_events([done] { done->set_value(); });
  result.get();
}

bool owns_children() noexcept {
  return process_supervisor::is_ours();
}

void spawn_async(spawn_options options) {
  check_entry();
  if (!owns_children())
    throw error("a process that was forked from a program with child processes can't start any itself");
  process_supervisor::get().start(std::move(options));
}

std::shared_ptr<child_process> spawn(spawn_options options) {
  // Shared: the waiting thread may go on, and return, before set_value() has returned.
  const auto started = std::make_shared<std::promise<std::shared_ptr<child_process>>>();
  auto result = started->get_future();
  options.on_start = [started, then = std::move(options.on_start)](std::shared_ptr<child_process> one) {
    if (then) then(one);
    started->set_value(std::move(one));
  };
  options.on_failure = [started, then = std::move(options.on_failure)](std::string why) {
    if (then) then(why);
    started->set_exception(std::make_exception_ptr(error("a child process can't be started: " + why)));
  };
  spawn_async(std::move(options));
  return result.get();
}

void watch_once(int descriptor, std::function<void()> readable) {
  process_supervisor::get().watch(descriptor, std::move(readable));
}

}  // namespace quarq::processes
