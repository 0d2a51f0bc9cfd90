#include "interop/python_server.hpp"

#include <map>
#include <stdexcept>

#include "support/raw_connection.hpp"
#include "support/secrets.hpp"

namespace quarq::test {

python_server::python_server(const std::string& interpreter, const std::string& module)
    : process_({interpreter, QUARQ_TEST_SOURCE_DIR "/interop/python_server.py", dir_ / "socket", module},
               std::map<std::string, std::string>{{"PYTHONDONTWRITEBYTECODE", "1"}}) {
  const auto is_decided = [&] { return process_.output() == "listening\n" || process_.ended(); };
  is_ready_ = eventually(is_decided, default_timeout) && !process_.ended();
}

command_result python_server::run(const std::string& program, std::chrono::milliseconds max) const {
  raw_connection to(dir_ / "socket", max);
  to.send(program);
  to.end_sending();
  const auto answer = to.read_to_end();
  const auto head = answer.find('\n');
  if (head == std::string::npos) throw std::runtime_error("python_server: no answer: " + process_.log());
  std::size_t digits = 0;
  command_result result;
  result.exit_code = std::stoi(answer, &digits);
  const auto size = std::stoul(answer.substr(digits));
  result.out = answer.substr(head + 1, size);
  result.err = answer.substr(head + 1 + size);
  expect_no_secret("a Python program of the test", result.out);
  expect_no_secret("a Python program of the test", result.err);
  return result;
}

}  // namespace quarq::test
