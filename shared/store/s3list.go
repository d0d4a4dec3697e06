package store

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Object is an entry of a listing.
type Object struct {
	// Key is the complete key, including the prefix of the store.
	Key      string
	Size     int64
	Modified time.Time
}

// List returns the objects whose names start with a prefix, sorted by key. It makes one request per 1,000 objects.
func (s *S3) List(ctx context.Context, prefix string) ([]Object, error) {
	var list []Object
	key := s.Key(prefix)
	pages := s3.NewListObjectsV2Paginator(s.client, &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: &key})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, s.explain(ctx, "ListBucket", prefix, err)
		}
		for _, o := range page.Contents {
			list = append(list, Object{aws.ToString(o.Key), aws.ToInt64(o.Size), aws.ToTime(o.LastModified)})
		}
	}
	return list, nil
}
