// The handlers of tasks, registered once: for a worker, which serves queues, and for a server of RPC.
#pragma once

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <quarq/detail/handler.hpp>
#include <quarq/detail/handler_in_process.hpp>
#include <quarq/detail/schema.hpp>
#include <quarq/handler.hpp>
#include <quarq/task.hpp>

namespace quarq {

namespace detail {
struct handlers_access;
/// What a task takes and returns, as JSON Schema: for descriptions.
struct task_schema {
  std::vector<schema_document::make_schema> parameters;
  schema_document::make_schema result = nullptr;
};
struct named_handler {
  std::string task;
  handler call;
  task_schema schema;
};
}  // namespace detail

/// Which function runs which task:
///
///     quarq::handlers all;
///     all.handle(count_words, do_count_words).handle(resize, do_resize, {.on = quarq::level::process});
///     quarq::worker worker;
///     worker.handle(all);
///
/// Copies share the functions, so one that several users call at the same time must allow that. Not thread-safe.
class handlers {
 public:
  /// As worker::handle() does. If a task has two handlers, or the options of one don't go together, whoever serves
  /// them says so.
  template <class R, class... Args, class F>
  handlers& handle(const task<R(Args...)>& what, F f, handler_options how = {}) {
    detail::task_schema schema{{detail::schema_of<std::remove_cvref_t<Args>>...},
                               detail::schema_of<std::remove_cvref_t<R>>};
    all_.push_back({std::string(what.name()),
                    detail::make_handler_at_its_level(what, std::move(f), std::move(how)),
                    std::move(schema)});
    return *this;
  }
  /// All of these, too.
  handlers& handle(const handlers& those) {
    const auto copy = those.all_;
    all_.insert(all_.end(), copy.begin(), copy.end());
    return *this;
  }

 private:
  friend struct detail::handlers_access;
  std::vector<detail::named_handler> all_;
};

namespace detail {
struct handlers_access {
  static const std::vector<named_handler>& all(const handlers& those) noexcept { return those.all_; }
};
}  // namespace detail

}  // namespace quarq
