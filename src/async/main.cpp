#include <exception>

#include <errno.h>
#include <fmt/format.h>

#include <quarq/errors.hpp>
#include <quarq/run.hpp>

#include "base/text.hpp"

namespace quarq {

namespace {

void print(const char* what) {
  fmt::print(stderr, "{}: {}\n", program_invocation_short_name, what);
}

template <class F>
int exit_code_of(F run_program) {
  try {
    return run_program();
  } catch (const interrupted& e) {
    return 128 + e.signal();
  } catch (const usage_error& e) {
    print(e.what());
    return 2;
  } catch (const std::exception& e) {
    print(e.what());
  } catch (...) {
    const auto thrown = base::describe_thrown_object();
    print(thrown.text.c_str());
  }
  return 1;
}

}  // namespace

int main(awaitable<void> program) {
  return exit_code_of([&] {
    run(std::move(program), stop_on_signals);
    return 0;
  });
}

int main(awaitable<int> program) {
  return exit_code_of([&] { return run(std::move(program), stop_on_signals); });
}

}  // namespace quarq
