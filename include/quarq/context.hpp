// What a handler may ask and keep.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <typeindex>
#include <typeinfo>
#include <utility>
#include <vector>

#include <quarq/detail/bad_payload.hpp>
#include <quarq/errors.hpp>

namespace quarq {

template <class Signature>
class task;

namespace detail {

/// Objects by their type. A handful at most, so a list.
class state_map {
 public:
  void put(std::type_index type, std::shared_ptr<void> object);
  void* find(std::type_index type) const noexcept;

 private:
  std::vector<std::pair<std::type_index, std::shared_ptr<void>>> objects_;
};

[[noreturn]] void throw_no_state(const std::type_info& type);

/// The facts of one job under way.
struct job_facts {
  std::string id;
  std::string task;
  std::string queue;
  int attempts = 0;
  std::chrono::sys_time<std::chrono::milliseconds> enqueued_at{};
  std::chrono::sys_time<std::chrono::milliseconds> due_at{};
};

}  // namespace detail

/// The worker's, in on_startup and on_shutdown; one job's own, in its handler and the hooks around it. State
/// put into the worker's context lives as long as the worker and is seen by every job; state put into a job's
/// lives as long as that try. A reference to it is valid for as long.
///
/// A job's context is used by that job alone. The worker's state is read by all jobs at once, also from the
/// threads that run plain functions: an object that changes needs its own lock.
class context {
 public:
  explicit context(const context* worker = nullptr, detail::job_facts facts = {})
      : worker_(worker), facts_(std::move(facts)) {}
  context(const context&) = delete;
  context& operator=(const context&) = delete;

  /// The job's id. Empty in the worker's context, like the next ones.
  const std::string& id() const noexcept { return facts_.id; }
  const std::string& task() const noexcept { return facts_.task; }
  const std::string& queue() const noexcept { return facts_.queue; }
  /// How often the job has been started, this time included.
  int attempt() const noexcept { return facts_.attempts; }
  std::chrono::sys_time<std::chrono::milliseconds> enqueued_at() const noexcept { return facts_.enqueued_at; }
  /// The time it was meant for: of a cron job's run, its time on the schedule. Without a delay:
  /// enqueued_at().
  std::chrono::sys_time<std::chrono::milliseconds> due_at() const noexcept { return facts_.due_at; }

  /// The job's arguments in the order of its task's parameters, for people: "[\"http://a\", 3]", as
  /// docs/payload.md says. At most `limit` bytes; what would be longer is cut, ends in "…", and is then no
  /// longer JSON. Empty in the worker's context.
  std::string arguments_json(std::size_t limit = std::string::npos) const;

  /// The job's arguments, for hooks, which see the jobs of all tasks:
  ///     if (ctx.task() == count_words.name()) {
  ///       const auto [url] = ctx.arguments(count_words);
  /// Decoded anew by each call. Throws invalid_argument, naming both, if the job is one of another task, or
  /// if there is none; decode_error if the arguments are not what this task takes.
  template <class R, class... Args>
  auto arguments(const quarq::task<R(Args...)>& what) const {
    try {
      return what.decode(encoded_arguments(what.name()));
    } catch (const decode_error& e) {
      throw detail::bad_payload(e.what());
    }
  }

  /// Asked to stop: the job was cancelled or ran out of time, or the worker shuts down. A function that stops
  /// for it throws (anything: quarq::cancelled says it best); one that returns has done its work, and its job
  /// succeeded.
  std::stop_token stop_token() const noexcept { return stop_.get_token(); }

  /// Makes a T here, replacing one that is here already.
  template <class T, class... Args>
  T& emplace(Args&&... args) {
    auto object = std::make_shared<T>(std::forward<Args>(args)...);
    auto& reference = *object;
    state_.put(typeid(T), std::move(object));
    return reference;
  }

  /// The job's T, or else the worker's. Throws quarq::error naming T if there is none.
  template <class T>
  T& state() const {
    void* found = state_.find(typeid(T));
    if (found == nullptr && worker_ != nullptr) found = worker_->state_.find(typeid(T));
    if (found == nullptr) detail::throw_no_state(typeid(T));
    return *static_cast<T*>(found);
  }

  /// For the worker's own use.
  std::stop_source& stop_source() noexcept { return stop_; }
  /// For the worker's own use. A msgpack array, which must live as long as the context.
  void set_arguments(std::string_view encoded) noexcept { arguments_ = encoded; }

 private:
  std::string_view encoded_arguments(std::string_view task) const;

  const context* worker_;
  detail::job_facts facts_;
  std::string_view arguments_;
  detail::state_map state_;
  std::stop_source stop_;
};

}  // namespace quarq
