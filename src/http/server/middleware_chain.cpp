#include "http/server/middleware_chain.hpp"

#include <exception>
#include <utility>

#include <quarq/http/problem.hpp>

#include "base/log.hpp"
#include "base/text.hpp"
#include "codecs/utf8.hpp"
#include "http/server/router.hpp"

namespace quarq::http {

awaitable<response> next::operator()(request& r) const {
  return chain_->run_guarded(index_, r);
}

namespace detail {

awaitable<response> middleware_chain::run(std::size_t from, request& r) const {
  if (from == all_.size()) return answer_of_route(r);
  return all_[from](r, next(*this, from + 1));
}

awaitable<response> middleware_chain::run_guarded(std::size_t from, request& r) const {
  response answer;
  try {
    auto made = co_await run(from, r);
    answer = std::move(made);
  } catch (...) {
    answer = answer_of_exception(r);
  }
  co_return answer;
}

namespace {

void log_failure(const request& r, const std::string& type, std::string_view what) {
  constexpr std::size_t max = 500;
  base::log().error("{} {} threw {}: {}", r.method(), codecs::printable(r.path(), max), type,
                    codecs::printable(what, max));
}

}  // namespace

response answer_of_exception(const request& r) {
  if (request_access::of(r).cancelled) throw;
  try {
    throw;
  } catch (const problem& p) {
    return answer_of(p);
  } catch (const std::exception& e) {
    log_failure(r, base::type_name(typeid(e)), e.what());
  } catch (...) {
    const auto thrown = base::describe_thrown_object();
    log_failure(r, thrown.type, thrown.text);
  }
  return answer_of(problem(500));
}

awaitable<response> answer_of_route(request& r) {
  auto& facts = request_access::of(r);
  response answer;
  if (facts.preset) {
    answer = *facts.preset;
    co_return answer;
  }
  const auto& call = facts.matched->call;
  try {
    if (call.takes_body) {
      auto body = co_await r.body();
      facts.whole_body = std::move(body);
    }
    if (call.plain) {
      answer = call.plain(r);
    } else {
      auto made = co_await call.coroutine(r);
      answer = std::move(made);
    }
  } catch (...) {
    answer = answer_of_exception(r);
  }
  co_return answer;
}

response answer_of_plain_route(request& r) {
  try {
    return request_access::of(r).matched->call.plain(r);
  } catch (...) {
    return answer_of_exception(r);
  }
}

}  // namespace detail
}  // namespace quarq::http
