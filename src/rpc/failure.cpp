#include "rpc/failure.hpp"

#include <algorithm>
#include <charconv>
#include <utility>
#include <variant>

#include <boost/asio/error.hpp>
#include <boost/describe.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include <quarq/codec.hpp>
#include <quarq/detail/bad_payload.hpp>
#include <quarq/http/problem.hpp>

#include "base/text.hpp"
#include "codecs/json.hpp"
#include "codecs/utf8.hpp"
#include "rpc/codes.hpp"
#include "rpc/wire.hpp"

namespace quarq::rpc {
namespace {

// What an answer may say of each error.
constexpr std::size_t max_text = 64 * 1024;

std::string limited(std::string_view text) {
  auto shown = codecs::to_utf8(text);
  if (shown.size() > max_text) {
    shown.resize(codecs::cut_at(shown, max_text));
    shown += codecs::ellipsis;
  }
  return shown;
}

failure made(code c, std::string type, std::string_view message) {
  failure f;
  f.code = c;
  f.type = std::move(type);
  f.message = message;
  return f;
}

// Instead of its index.
void name_argument(input_error& e, std::span<const std::string> names) {
  if (e.path.empty()) return;
  const auto* index = std::get_if<std::int64_t>(&e.path.front());
  if (index != nullptr && std::cmp_less(*index, names.size()))
    e.path.front() = std::string(names[static_cast<std::size_t>(*index)]);
}

failure bad_input(const decode_error& e, std::string_view task, std::span<const std::string> names,
                  bool is_syntax) {
  auto f = made(code::invalid_argument, "quarq::decode_error", e.what());
  f.started = false;
  if (is_syntax) {
    f.errors.push_back({"json_invalid", {}, e.what()});
  } else {
    f.status = 422;
    f.errors = input_errors_of(e, task);
    for (auto& one : f.errors) name_argument(one, names);
  }
  return f;
}

struct text_of_step {
  encoder& out;
  void operator()(std::int64_t index) const { out.integer(index); }
  void operator()(const std::string& name) const { out.text(limited(name)); }
};

void write(encoder& out, const input_error& e) {
  out.map(3);
  out.text("kind");
  out.text(e.kind);
  out.text("path");
  out.array(e.path.size());
  for (const auto& step : e.path) std::visit(text_of_step{out}, step);
  out.text("message");
  out.text(limited(e.message));
}

// As other programs may write it.
struct wire_detail {
  std::string type;
  std::string kind;
  std::string message;
};
BOOST_DESCRIBE_STRUCT(wire_detail, (), (type, kind, message))
struct wire_failure {
  std::string code;
  std::string message;
  std::vector<wire_detail> details;
};
BOOST_DESCRIBE_STRUCT(wire_failure, (), (code, message, details))

// Seconds, as RFC 9110 has them; a date is not looked at.
std::optional<milliseconds> retry_after_of(const http::response& answer) {
  const auto text = answer.headers["Retry-After"];
  std::int64_t seconds = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (text.empty() || failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (seconds < 0 || seconds > 100'000'000) return std::nullopt;
  return std::chrono::seconds(seconds);
}

}  // namespace

failure failure_of(const std::exception_ptr& thrown, std::string_view task,
                   std::span<const std::string> names) {
  try {
    std::rethrow_exception(thrown);
  } catch (const syntax_error& e) {
    return bad_input(e, task, names, true);
  } catch (const quarq::detail::bad_payload& e) {
    return bad_input(e, task, names, false);
  } catch (const call_error& e) {
    return made(e.code(), e.type(), e.what());
  } catch (const call_failed& e) {
    return made(code::unknown, e.type(), e.what());
  } catch (const http::problem& e) {
    return made(code_of_status(e.status()), "quarq::http::problem", e.what());
  } catch (const retry_after& e) {
    auto f = made(code::unavailable, "quarq::retry_after", e.what());
    f.retry_after = std::max(e.delay(), milliseconds{0});
    return f;
  } catch (const timed_out& e) {
    return made(code::deadline_exceeded, "quarq::timed_out", e.what());
  } catch (const cancelled& e) {
    return made(code::canceled, "quarq::cancelled", e.what());
  } catch (const worker_lost& e) {
    return made(code::internal, "quarq::worker_lost", e.what());
  } catch (const memory_limit_exceeded& e) {
    return made(code::resource_exhausted, "quarq::memory_limit_exceeded", e.what());
  } catch (const boost::system::system_error& e) {
    const bool was_cancelled = e.code() == boost::asio::error::operation_aborted;
    return made(was_cancelled ? code::canceled : code::unknown, base::type_name(typeid(e)), e.what());
  } catch (const std::exception& e) {
    return made(code::unknown, base::type_name(typeid(e)), e.what());
  } catch (...) {
    const auto object = base::describe_thrown_object();
    return made(code::unknown, object.type, object.text);
  }
}

http::response answer_with(const failure& f) {
  std::string body;
  encoder out(body);
  out.map(3);
  out.text("code");
  out.text(to_string(f.code));
  out.text("message");
  out.text(limited(f.message));
  out.text("details");
  if (f.errors.empty()) {
    out.array(1);
    out.map(2);
    out.text("type");
    out.text(limited(f.type));
    out.text("message");
    out.text(limited(f.message));
  } else {
    out.array(f.errors.size());
    for (const auto& e : f.errors) write(out, e);
  }
  http::response answer(f.status != 0 ? f.status : status_of(f.code), codecs::to_json(body),
                        "application/json");
  if (!f.started) answer.headers.set(started_field, "false");
  if (f.retry_after) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*f.retry_after);
    answer.headers.set("Retry-After", std::to_string(seconds.count()));
  }
  return answer;
}

failure read_failure(const http::response& answer) {
  failure f;
  f.status = answer.status;
  f.code = code_of_status(answer.status);
  f.retry_after = retry_after_of(answer);
  // A server that handles too many requests says so before it looks at one (http::server); a proxy's 502 may have
  // come after the call.
  const bool is_problem = answer.headers["Content-Type"].starts_with("application/problem+json");
  f.started = answer.headers[started_field] != "false" && !(is_problem && answer.status == 503);
  try {
    const auto read = answer.as<wire_failure>();
    f.code = code_named(read.code).value_or(f.code);
    f.message = read.message;
    if (!read.details.empty()) {
      f.type = read.details.front().kind.empty() ? read.details.front().type : "quarq::decode_error";
    }
  } catch (const decode_error&) {
    // Another server's words.
  }
  if (f.message.empty()) {
    f.message = fmt::format("status {}: {}", answer.status, codecs::printable(answer.body, 200));
  }
  return f;
}

std::exception_ptr to_exception(const failure& f) {
  if (f.code == code::deadline_exceeded) return std::make_exception_ptr(timed_out(f.message));
  if (f.code == code::canceled) return std::make_exception_ptr(cancelled(f.message));
  if (f.type == "quarq::worker_lost") return std::make_exception_ptr(worker_lost(f.message));
  if (f.type == "quarq::memory_limit_exceeded")
    return std::make_exception_ptr(memory_limit_exceeded(f.message));
  return std::make_exception_ptr(call_error(f.code, f.type, f.message));
}

}  // namespace quarq::rpc
