// What a broker or a queue throws, as the answer to a request.
#pragma once

#include <quarq/errors.hpp>
#include <quarq/http/problem.hpp>

namespace quarq::rpc {

/// Throws the error that is being handled as the http::problem that it is to a client; what is none of a broker's, as it
/// is. Only inside a `catch`. Inline, as the dashboard has it without quarq::rpc.
[[noreturn]] inline void rethrow_as_problem() {
  try {
    throw;
  } catch (const job_not_found& e) {
    throw http::problem(404, e.what());
  } catch (const duplicate_job& e) {
    throw http::problem(409, e.what());
  } catch (const usage_error& e) {
    throw http::problem(422, e.what());
  } catch (const broker_error& e) {
    throw http::problem(503, e.what(), {{"Retry-After", "1"}});
  }
}

}  // namespace quarq::rpc
