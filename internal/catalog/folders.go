package catalog

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Lister is the part of Amazon S3 that looking through the lake's keys needs; *s3.Client
// has it.
type Lister interface {
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
}

// Protocols lists the protocols of which a zone of the lake in bucket has objects.
func Protocols(ctx context.Context, objects Lister, bucket string, zone Zone) ([]string, error) {
	names, err := folders(ctx, objects, bucket, ProtocolsPrefix(zone))
	if err != nil {
		return nil, fmt.Errorf("list the protocols: %w", err)
	}
	return names, nil
}

// Owners lists the institutions of which a zone of the lake in bucket has objects of a
// protocol.
func Owners(ctx context.Context, objects Lister, bucket string, zone Zone, protocol string) ([]string, error) {
	names, err := folders(ctx, objects, bucket, OwnersPrefix(zone, protocol))
	if err != nil {
		return nil, fmt.Errorf("list the institutions: %w", err)
	}
	return names, nil
}

// folders lists the names that follow a prefix, each up to the next slash.
func folders(ctx context.Context, objects Lister, bucket, prefix string) (names []string, err error) {
	pages := s3.NewListObjectsV2Paginator(objects, &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix, Delimiter: new("/")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, folder := range page.CommonPrefixes {
			names = append(names, strings.TrimSuffix(strings.TrimPrefix(*folder.Prefix, prefix), "/"))
		}
	}
	return names, nil
}
