// expect: quarq: check<f>() takes a function std::string f(const T&) of this member's type
#include <string>

#include <boost/describe.hpp>

#include <quarq/model.hpp>

struct page {
  int offset = 0;
};
BOOST_DESCRIBE_STRUCT(page, (), (offset))

std::string is_even(const int& value) {
  return value % 2 == 0 ? "" : "must be even";
}
std::string is_short(const std::string& value) {
  return value.size() < 5 ? "" : "must be short";
}

#ifdef MUST_FAIL
QUARQ_MODEL(page, field(&page::offset).check<is_short>())
#else
QUARQ_MODEL(page, field(&page::offset).check<is_even>())
#endif
