#include <fmt/format.h>

#include <quarq/http/answers.hpp>
#include <quarq/http/problem.hpp>

#include "codecs/utf8.hpp"
#include "http/message/writer.hpp"

namespace quarq::http {

problem::problem(int status, const std::string& detail, fields headers)
    : error(detail), status_(status), headers_(std::move(headers)) {
  if (status < 400 || status > 599)
    throw usage_error(fmt::format("http::problem: {} is not the status of an error", status));
}

problem::problem(int status, const std::string& detail, std::vector<model_error> errors)
    : problem(status, detail) {
  errors_ = std::move(errors);
}

response answer_of(const problem& what) {
  std::string body;
  encoder out(body);
  const std::string_view detail = what.what();
  const auto title = reason_of(what.status());
  out.map(1 + (title.empty() ? 0 : 1) + (detail.empty() ? 0 : 1));
  out.text("status");
  out.integer(what.status());
  if (!title.empty()) {
    out.text("title");
    out.text(title);
  }
  if (!detail.empty()) {
    out.text("detail");
    out.text(codecs::to_utf8(detail));
  }
  response answer(what.status(), detail::json_of_msgpack(body), "application/problem+json");
  if (!what.errors().empty()) {
    answer.body.pop_back();
    answer.body += ", \"errors\": " + to_json(what.errors()) + "}";
  }
  for (const auto& f : what.headers()) answer.headers.add(f.name, f.value);
  return answer;
}

}  // namespace quarq::http
