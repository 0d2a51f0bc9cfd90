// expect: quarq: the keys of a map are text, integers, enums or booleans
#include <map>

#include <boost/describe.hpp>

#include <quarq/model.hpp>

struct page {
  std::map<int, int> by_number;
  std::map<double, int> by_real;
};

#ifdef MUST_FAIL
BOOST_DESCRIBE_STRUCT(page, (), (by_number, by_real))
#else
BOOST_DESCRIBE_STRUCT(page, (), (by_number))
#endif

page parse() {
  return quarq::parse_json<page>("{}");
}
