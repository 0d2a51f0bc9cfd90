// The middlewares of a server, and the route's handler at their end.
#pragma once

#include <cstddef>
#include <vector>

#include <quarq/http/middleware.hpp>

namespace quarq::http::detail {

class middleware_chain {
 public:
  void add(middleware one) { all_.push_back(std::move(one)); }
  bool empty() const noexcept { return all_.empty(); }
  awaitable<response> run(std::size_t from, request& r) const;
  /// The same, with what is thrown as the answer that it becomes; throws only if the handler was cancelled.
  awaitable<response> run_guarded(std::size_t from, request& r) const;

 private:
  std::vector<middleware> all_;
};

/// What the route's handler answers, or what there is in its place. Throws only if the handler was cancelled.
awaitable<response> answer_of_route(request& r);
/// The same for a plain handler that needs no body.
response answer_of_plain_route(request& r);
/// The answer that a handler's exception becomes. REQUIRES: an exception is being handled; rethrows it if the
/// handler was cancelled.
response answer_of_exception(const request& r);

}  // namespace quarq::http::detail
