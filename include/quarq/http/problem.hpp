// What a server's handler throws to answer with an error.
#pragma once

#include <string>
#include <vector>

#include <quarq/errors.hpp>
#include <quarq/http/response.hpp>
#include <quarq/validation_error.hpp>

namespace quarq::http {

/// Thrown by a handler or a middleware: the answer is this status, and what() in its body, as RFC 9457 has it
/// (application/problem+json). `throw http::problem(404, "there is no user 7");` Any other exception is a 500 that
/// says nothing of it; the log has what it was.
class problem : public error {
 public:
  /// `status`: 400 to 599. `detail`: a sentence for the caller. `headers` are sent as well.
  explicit problem(int status, const std::string& detail = {}, fields headers = {});
  /// As above, with what is wrong with the input: the member `errors` of the body is a list of {kind, path, message}.
  problem(int status, const std::string& detail, std::vector<model_error> errors);

  int status() const noexcept { return status_; }
  const fields& headers() const noexcept { return headers_; }
  const std::vector<model_error>& errors() const noexcept { return errors_; }

 private:
  int status_;
  fields headers_;
  std::vector<model_error> errors_;
};

/// The answer that a problem becomes.
response answer_of(const problem& what);

}  // namespace quarq::http
