// A program that is linked without the entry hook of quarq::processes, for tests that look at it from
// outside:
//   with FILE     calls quarq::child_main() first; then main() appends "main" to FILE, and calls a function
//   in a
//                 child, which appends "child"
//   without       does not call it; prints what the error says when it makes a pool
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>

#include <quarq/child_main.hpp>
#include <quarq/errors.hpp>
#include <quarq/process_pool.hpp>
#include <quarq/run.hpp>

#include "programs/die_with_parent.hpp"

namespace {

void append(std::string file, std::string line) {
  std::ofstream(file, std::ios::app) << line << '\n';
}

int use_pool(const std::string& file) {
  append(file, "main");
  quarq::process_pool pool({.size = 2});
  for (int i = 0; i < 3; ++i) quarq::run(pool.run(append, file, "child"));
  return 0;
}

int make_pool() {
  try {
    quarq::process_pool pool;
    std::cout << "a pool could be made\n";
  } catch (const quarq::error& e) {
    std::cout << e.what() << std::endl;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "without") return make_pool();
  quarq::child_main(argc, argv);
  quarq::test::die_with_parent();
  if (what == "with" && argc == 3) return use_pool(argv[2]);
  std::cerr << "usage: child_main_parent with FILE | without\n";
  return 64;
}
