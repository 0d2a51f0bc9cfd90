// expect: quarq: the limit of an integer is an integer
#include <boost/describe.hpp>

#include <quarq/model.hpp>

struct page {
  int offset = 0;
};
BOOST_DESCRIBE_STRUCT(page, (), (offset))

#ifdef MUST_FAIL
QUARQ_MODEL(page, field(&page::offset).at_least(0.5))
#else
QUARQ_MODEL(page, field(&page::offset).at_least(1))
#endif
