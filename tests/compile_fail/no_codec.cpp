// expect: quarq: this type has no codec: describe it, beside its definition, with BOOST_DESCRIBE_STRUCT(type, (), (member, another_member))
#include <string>

#include <boost/describe.hpp>

#include <quarq/task.hpp>

struct known {
  std::string name;
  int age = 0;
};
BOOST_DESCRIBE_STRUCT(known, (), (name, age))

struct unknown {
  std::string name;
};

inline constexpr quarq::task<void(known)> greet{"greet"};
inline constexpr quarq::task<void(unknown)> shun{"shun"};

void compiles() {
  known someone{"Ada", 36};
  auto right = greet(someone);
}

#ifdef MUST_FAIL
void must_not() {
  unknown nobody{"?"};
  auto wrong = shun(nobody);
}
#endif
