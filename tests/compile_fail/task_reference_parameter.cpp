// expect: quarq: a parameter of a task can't be a T&
#include <string>

#include <quarq/task.hpp>

inline constexpr quarq::task<int(const std::string& url, int)> by_const_reference{"by_const_reference"};
inline constexpr quarq::task<int(std::string&& url)> moved{"moved"};

void compiles() {
  auto right = by_const_reference("http://127.0.0.1/", 1);
  auto also = moved("http://127.0.0.1/");
}

#ifdef MUST_FAIL
inline constexpr quarq::task<int(std::string& url)> by_reference{"by_reference"};
#endif
