#include "rpc/service.hpp"

#include <chrono>
#include <exception>
#include <utility>
#include <vector>

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include <quarq/detail/context_access.hpp>
#include <quarq/errors.hpp>
#include <quarq/http/problem.hpp>

#include "base/ids.hpp"
#include "base/text.hpp"
#include "broker/broker.hpp"
#include "codecs/utf8.hpp"
#include "model/trace_context.hpp"
#include "rpc/failure.hpp"
#include "workers/worker_setup.hpp"

namespace quarq::rpc {

namespace asio = boost::asio;
using steady = std::chrono::steady_clock;

/// A call as its request has it.
struct service::parsed {
  quarq::detail::job_facts facts;
  std::string arguments;
};

service::service(const handlers& those, service_options options) : options_(std::move(options)) {
  std::vector<std::string> tasks;
  for (const auto& [task, how, schema] : quarq::detail::handlers_access::all(those)) {
    workers::check(task, how);
    if (!handlers_.emplace(task, how).second)
      throw usage_error("task \"" + task + "\" has a handler already");
    tasks.push_back(task);
  }
  if (handlers_.empty()) throw usage_error("a server of RPC needs at least one handler");
  if (!options_.broker.empty()) broker::check_url(options_.broker);
  tasks_ = base::listed(tasks);
}

service::~service() {
  if (connection_) connection_->close();
}

awaitable<void> service::start() {
  if (started_) co_return;
  const auto alone = co_await starting_.acquire();
  if (started_) co_return;
  const auto loop = co_await asio::this_coro::executor;
  make_pools();
  connect(loop);
  if (options_.on_startup) co_await options_.on_startup(base_);
  started_ = true;
}

void service::make_pools() {
  for (const auto& [task, how] : handlers_) {
    if (how.on_thread && !threads_) {
      thread_pool_options like;
      like.size = options_.threads;
      like.name = "rpc";
      threads_.emplace(like);
    }
    if (how.in_process && !processes_) {
      process_pool_options like;
      like.size = options_.processes;
      processes_ = quarq::processes::make_untyped_pool(like);
    }
  }
}

void service::connect(const asio::any_io_executor& loop) {
  if (options_.broker.empty() || connection_) return;
  connection_ = std::make_shared<clients::worker_connection>(
      options_.broker, broker::open(options_.broker, loop), loop, [] {});
  model::context_access::set_connection(base_, connection_);
}

const quarq::detail::handler& service::handler_of(const std::string& task) const {
  const auto found = handlers_.find(task);
  if (found != handlers_.end()) return found->second;
  throw call_error(code::unimplemented, fmt::format("no handler for task \"{}\"; this server handles {}",
                                                    codecs::printable(task, 80), tasks_));
}

std::span<const std::string> service::names_of(const std::string& task) const {
  const auto found = handlers_.find(task);
  if (found == handlers_.end()) return {};
  return found->second.parameter_names;
}

namespace {

trace_headers trace_of(const http::request& r) {
  constexpr std::size_t max_state = 512;  // what W3C asks all to pass on
  trace_headers trace;
  if (const auto parent = r.headers()[trace_field]; model::parse_traceparent(parent).is_set())
    trace.traceparent = parent;
  const auto state = r.headers()[trace_state_field];
  if (!trace.traceparent.empty() && state.size() <= max_state) trace.tracestate = state;
  return trace;
}

void set_trace(quarq::detail::job_facts& facts, const trace_headers& trace) {
  facts.trace = model::parse_traceparent(trace.traceparent);
  if (trace.tracestate.empty()) return;
  // What the handler enqueues and calls gets it from here.
  quarq::detail::labels its;
  its.headers.emplace(trace_field, trace.traceparent);
  its.headers.emplace(trace_state_field, trace.tracestate);
  facts.its_labels = std::make_shared<const quarq::detail::labels>(std::move(its));
}

}  // namespace

service::parsed service::parse(const std::string& task, encoding e, const http::request& r, std::string body,
                               const trace_headers& trace) const {
  const auto& how = handler_of(task);
  parsed call;
  auto& facts = call.facts;
  const auto now = std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
  facts.task = task;
  facts.id = base::make_id();
  facts.enqueued_at = facts.due_at = now;
  facts.attempts = parse_attempt(r.headers()[attempt_field]);
  facts.passes_deadline = how.options.pass_deadline;
  set_trace(facts, trace);
  if (const auto text = r.headers().find(timeout_field)) {
    const auto left = parse_timeout(*text);
    if (!left) {
      throw call_error(code::invalid_argument,
                       fmt::format("{}: expected milliseconds, at most ten digits, got \"{}\"", timeout_field,
                                   codecs::printable(*text, 40)));
    }
    facts.deadline = steady::now() + *left;
  }
  try {
    call.arguments = arguments_of(task, e, body, {how.parameter_count, how.parameter_names});
  } catch (const syntax_error&) {
    throw;
  } catch (const decode_error& error) {
    throw quarq::detail::bad_payload(error.what());
  }
  return call;
}

awaitable<http::response> service::answer(std::string task, http::request& r) {
  const auto type = r.headers()["Content-Type"];
  const auto e = encoding_of(type);
  if (!e) {
    throw http::problem(415, "the arguments must be application/json or application/msgpack, not " +
                                 codecs::printable(type, 80));
  }
  auto trace = trace_of(r);
  // Names that nobody knows are not to fill the collector.
  const auto span = handlers_.contains(task) ? call_span::begin(span_kind::server, task, trace) : nullptr;
  auto body = co_await r.body();
  http::response answer;
  bool is_well_formed = false;
  try {
    auto what = parse(task, *e, r, std::move(body), trace);
    is_well_formed = true;
    if (span) span->is_attempt(what.facts.attempts);
    if (!started_) co_await start();
    auto running = run_call(request_of(task, what), base_, places(), shared_from_this());
    auto result = co_await std::move(running);
    answer = answer_with(*e, std::move(result));
    if (span) span->succeeded();
  } catch (const boost::system::system_error& error) {
    // The client has gone, and nobody reads an answer; or it is the handler's.
    const bool has_gone = error.code() == asio::error::operation_aborted;
    const auto f = failure_of(std::current_exception(), task, names_of(task));
    if (span) span->failed(f);
    if (has_gone) throw;
    answer = answer_with(f);
  } catch (...) {
    auto f = failure_of(std::current_exception(), task, names_of(task));
    f.started = f.started && is_well_formed;
    if (span) span->failed(f);
    answer = answer_with(f);
  }
  co_return answer;
}

call_request service::request_of(const std::string& task, parsed& what) const {
  call_request request;
  request.how = &handler_of(task);
  request.arguments = std::move(what.arguments);
  request.facts = std::move(what.facts);
  request.cancel_timeout = options_.cancel_timeout;
  return request;
}

call_places service::places() const noexcept {
  return {threads_ ? &*threads_ : nullptr, processes_.get()};
}

void add_route_of(http::server& by, const std::shared_ptr<service>& calls, std::uint64_t max_arguments) {
  const auto answer = [calls](std::string task, http::request& r) {
    return calls->answer(std::move(task), r);
  };
  by.post("/rpc/{task}", answer, {.max_body = max_arguments, .disconnect = http::on_disconnect::cancel});
}

void serve(http::server& by, const handlers& those, service_options options) {
  const auto max = options.max_arguments;
  add_route_of(by, std::make_shared<service>(those, std::move(options)), max);
}

}  // namespace quarq::rpc
