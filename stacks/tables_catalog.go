package stacks

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsathena"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsglue"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"

	"hl7lake/tables"
)

// scanLimit is the most, in bytes, that one query may read. Athena charges by the
// terabyte.
const scanLimit = 100 << 30

// firstDate is the earliest date that a partition may have.
const firstDate = "2020-01-01"

// addCatalog defines the database that Athena knows the tables by, and the workgroup in
// which they are asked.
func (t Tables) addCatalog(base Foundation, answers awss3.Bucket) {
	name := "hl7lake_" + base.Name
	database := awsglue.NewCfnDatabase(t.Stack, new("Database"), &awsglue.CfnDatabaseProps{
		CatalogId: t.Account(),
		DatabaseInput: &awsglue.CfnDatabase_DatabaseInputProperty{
			Name:        &name,
			Description: new("hl7lake: messages of HL7v2 as tables"),
		},
	})
	for _, table := range tables.New().All() {
		t.addTable(table, name).AddResourceDependency(database, nil)
	}
	group := awsathena.NewCfnWorkGroup(t.Stack, new("WorkGroup"), &awsathena.CfnWorkGroupProps{
		Name:                  new("hl7lake-" + base.Name),
		Description:           new("Asks the tables of hl7lake"),
		RecursiveDeleteOption: new(!base.KeepData),
		WorkGroupConfiguration: &awsathena.CfnWorkGroup_WorkGroupConfigurationProperty{
			EnforceWorkGroupConfiguration:   new(true),
			PublishCloudWatchMetricsEnabled: new(true),
			BytesScannedCutoffPerQuery:      new(float64(scanLimit)),
			EngineVersion:                   &awsathena.CfnWorkGroup_EngineVersionProperty{SelectedEngineVersion: new("Athena engine version 3")},
			ResultConfiguration: &awsathena.CfnWorkGroup_ResultConfigurationProperty{
				OutputLocation: new("s3://" + *answers.BucketName() + "/"),
				EncryptionConfiguration: &awsathena.CfnWorkGroup_EncryptionConfigurationProperty{
					EncryptionOption: new("SSE_KMS"),
					KmsKey:           base.Keys.Lake.KeyArn(),
				},
			},
		},
	})
	awsathena.NewCfnNamedQuery(t.Stack, new("Current"), &awsathena.CfnNamedQueryProps{
		Database:    &name,
		WorkGroup:   group.Name(),
		Name:        new("observations_current"),
		Description: new("Of each result the rows of the message that came last; name your institution"),
		QueryString: new(tables.CurrentOf("your-institution")),
	}).AddResourceDependency(group, nil)
}

// addTable defines one table. Athena computes its partitions from what a query asks for
// and looks none up (Amazon Athena User Guide, Partition projection): a query names its
// institution, dates and hours are known.
func (t Tables) addTable(table *tables.Table, database string) awsglue.CfnTable {
	folder := "s3://" + *t.Bucket.BucketName() + "/" + table.Name + "/"
	columns := []any{}
	for _, c := range table.Columns {
		columns = append(columns, &awsglue.CfnTable_ColumnProperty{
			Name: new(c.Name), Type: new(c.Type.Glue()), Comment: new(comment(c)),
		})
	}
	partitions := []any{}
	for _, p := range [][2]string{{tables.PartitionSource, "string"}, {tables.PartitionDate, "date"}, {tables.PartitionHour, "int"}} {
		partitions = append(partitions, &awsglue.CfnTable_ColumnProperty{Name: new(p[0]), Type: new(p[1])})
	}
	return awsglue.NewCfnTable(t.Stack, new("Table"+camel(table.Name)), &awsglue.CfnTableProps{
		CatalogId:    t.Account(),
		DatabaseName: &database,
		TableInput: &awsglue.CfnTable_TableInputProperty{
			Name:          &table.Name,
			Description:   &table.Doc,
			TableType:     new("EXTERNAL_TABLE"),
			PartitionKeys: &partitions,
			Parameters: map[string]string{
				"classification":            "parquet",
				"projection.enabled":        "true",
				"projection.source.type":    "injected",
				"projection.date.type":      "date",
				"projection.date.format":    "yyyy-MM-dd",
				"projection.date.range":     firstDate + ",NOW",
				"projection.hour.type":      "integer",
				"projection.hour.range":     "0,23",
				"projection.hour.digits":    "2",
				"storage.location.template": folder + "source=${source}/date=${date}/hour=${hour}/",
			},
			StorageDescriptor: &awsglue.CfnTable_StorageDescriptorProperty{
				Location:     &folder,
				Columns:      &columns,
				InputFormat:  new("org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"),
				OutputFormat: new("org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"),
				SerdeInfo: &awsglue.CfnTable_SerdeInfoProperty{
					SerializationLibrary: new("org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"),
				},
			},
		},
	})
}

// maxComment is the most characters that Glue takes for a column's comment (AWS Glue API,
// Column).
const maxComment = 255

// comment is what Athena shows of a column.
func comment(c tables.Column) string {
	text := strings.ReplaceAll(c.Doc, "`", "")
	if c.Path != "" {
		text = c.Path + ": " + text
	}
	if runes := []rune(text); len(runes) > maxComment {
		return string(runes[:maxComment-1]) + "…"
	}
	return text
}

// camel is next_of_kin as NextOfKin.
func camel(name string) string {
	var out strings.Builder
	for part := range strings.SplitSeq(name, "_") {
		out.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return out.String()
}
